"""Whether a run is done: its result is on disk, whole, and of this very run."""

from __future__ import annotations

from pathlib import Path

from stratune.engine.job import Job, Place
from stratune.errors import ArtifactError
from stratune.files import file_sha256
from stratune.identity import difference
from stratune.report.shapes import ResultFile, read_checked
from stratune.result import RunResult


def finished(job: Job, place: Place) -> tuple[RunResult | None, str | None]:
    """(its result, None) of a run that is done and well, (None, why it is run again) where its folder holds
    something else. A failed run is tried again without a word.
    """
    path = place.result_file(job)
    if not path.is_file():
        return None, None
    try:
        result = RunResult.load(path)
        read_checked(path, ResultFile)
    except ArtifactError as error:
        return None, f"damaged ({error})"
    if result.status != "ok":
        return None, None
    if not result.identity:
        return None, "made by an older stratune, which did not write down all that its numbers depend on"
    if other := difference(result.identity, job.identity):
        return None, f"made under other settings ({other})"
    if (result.run_id, result.fingerprint) != (job.run_id, job.fingerprint):
        return None, f"{path} names another run, or another split"
    if damage := _damage(result, path.parent):
        return None, damage
    return result, None


def _damage(result: RunResult, folder: Path) -> str | None:
    for name, digest in result.files.items():
        path = folder / name
        if not path.is_file():
            return f"{path} is missing"
        if file_sha256(path) != digest:
            return f"{path} is not as it was written"
    return None
