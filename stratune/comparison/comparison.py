"""compare: strategies x backbones x seeds on one split -> runs on disk, one leaderboard."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from stratune.comparison.plan import Planned, members_of, plan
from stratune.comparison.source import KEPT_ROWS, read_split
from stratune.config import Config, spelt_out
from stratune.engine.events import Event
from stratune.engine.inline import InlineEngine
from stratune.engine.job import Job
from stratune.engine.local import LocalEngine
from stratune.errors import ArtifactError, ConfigError
from stratune.files import read_json, write_json
from stratune.remote.address import is_remote
from stratune.result import RunResult
from stratune.train.processes import is_main, launched

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.task import Task
    from stratune.transcript.texts import TextsReport

Engine = LocalEngine | InlineEngine


@dataclass(frozen=True)
class Progress:
    """Told to whoever watches: run `index` of `total`, and what happens in it (`started`, an engine event,
    `done`).
    """

    index: int
    total: int
    planned: Planned
    event: Event
    result: RunResult | None = None


def run_comparison(
    config: Config,
    out: Path,
    *,
    fresh: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
    engine: Engine | None = None,
) -> Iterator[RunResult]:
    """Do every run that `out` does not have yet, then write the report. Yields results as they come, old
    ones first.

    Killed at any moment, the same call goes on: a run with a result is done, one without resumes from its
    checkpoint.
    Raises DataError, ConfigError, or ArtifactError when `out` holds another comparison or another process
    works in it.
    """
    from stratune.data.store import store_split

    runs = plan(config)
    _check_place(out)
    engine = engine or (InlineEngine() if launched() else LocalEngine())
    with engine:  # started first: its imports go on while we read
        split, texts = read_split(config)
        with _locked(out):
            _prepare(out, config, split, texts, fresh)
            engine.ready()
            stored = str(store_split(split))
            yield from _runs(runs, config, out, engine, stored, split.fingerprint, split.task, watch)
            if is_main():
                from stratune.report import publish

                publish(out)


def _runs(
    runs: Sequence[Planned],
    config: Config,
    out: Path,
    engine: Engine,
    stored: str,
    fingerprint: str,
    task: Task,
    watch: Callable[[Progress], None],
) -> Iterator[RunResult]:
    done: dict[str, RunResult] = {}
    for index, planned in enumerate(runs):
        members = members_of(planned, done, task)
        job = _job(planned, config, out, stored, fingerprint, members)
        result = finished(job)
        if result is None:
            watch(Progress(index, len(runs), planned, {"event": "started"}))
            result = engine.run(job, lambda e, i=index, p=planned: watch(Progress(i, len(runs), p, e)))  # type: ignore[misc]
        watch(Progress(index, len(runs), planned, {"event": "done"}, result))
        if result.status == "ok":
            done[planned.run_id] = result
        yield result


def _job(
    planned: Planned, config: Config, out: Path, stored: str, fingerprint: str, members: dict[str, str]
) -> Job:
    sections = config.model_dump(mode="json")
    return Job(
        out=str(out),
        split=stored,
        fingerprint=fingerprint,
        strategy=planned.strategy,
        backbone=planned.backbone,
        seed=planned.seed,
        budget=sections["budget"],
        train=sections["train"],
        remote=sections["remote"],
        members=members,
    )


def finished(job: Job) -> RunResult | None:
    """The result on disk if this very run (settings and split) is done and well; a failed one is tried
    again.
    """
    path = job.folder / "result.json"
    if not path.is_file():
        return None
    result = RunResult.load(path)
    same = spelt_out(result.settings) == job.settings() and result.fingerprint == job.fingerprint
    return result if same and result.status == "ok" else None


def _prepare(out: Path, config: Config, split: Split, texts: TextsReport | None, fresh: bool) -> None:
    if not is_main():
        return
    if fresh:
        _clear(out)
    stored = out / "split.json"
    if stored.is_file() and read_json(stored)["fingerprint"] != split.fingerprint:
        raise ArtifactError(
            f"{out}: holds a comparison on another split; choose another --out, or start over with --fresh"
        )
    for leftover in [*out.glob("runs/.*"), *out.glob("runs/*/.*"), *out.glob(".*.tmp*")]:  # of a killed run
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    config.save(out / "config.yaml")
    split.save(stored)
    found = data_report(config, split)
    write_json(out / "data.json", found if texts is None else {"transcripts": texts.to_dict(), **found})


def data_report(config: Config, split: Split) -> dict[str, Any]:
    """What `stratune data check` finds, lengths in tokens of the first backbone that is not a server's."""
    from stratune.backbone.tokenizer import token_counter
    from stratune.data.check import check

    here = [place for place in (*config.backbones, *config.llms) if not is_remote(place)]
    if not here:
        return check(split, split.task).to_dict()
    count, most = token_counter(here[0], config.train.max_length)
    return check(split, split.task, token_lengths=count, max_length=most).to_dict()


def _clear(out: Path) -> None:
    """Only what a comparison writes: the folder may hold other things of the user's."""
    for name in ("runs", "plots", "ablation"):
        shutil.rmtree(out / name, ignore_errors=True)
    files = (
        "config.yaml",
        "split.json",
        "data.json",
        "leaderboard.json",
        "leaderboard.csv",
        "leaderboard.md",
        "report.html",
        "ablation.json",
    )
    for name in files:
        (out / name).unlink(missing_ok=True)


def _check_place(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file, not a folder", key="out")
    ours = {"config.yaml", ".lock", *KEPT_ROWS.values()}
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if names and not names & ours:
        raise ConfigError(f"{out} is not empty and holds no comparison; choose another folder", key="out")
    parent = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ConfigError(f"{out} cannot be written to", key="out")


class _locked:
    """One comparison at a time in a folder. The kernel drops the lock of a killed process."""

    def __init__(self, out: Path) -> None:
        self.lock = FileLock(out / ".lock") if is_main() else None
        self.out = out

    def __enter__(self) -> None:
        if self.lock is not None:
            self.out.mkdir(parents=True, exist_ok=True)  # not before: wrong input leaves nothing behind
            try:
                self.lock.acquire(timeout=5)  # a run that was just killed may need a moment to end
            except Timeout as error:
                raise ArtifactError(f"{self.out}: another stratune is working in it") from error

    def __exit__(self, *_: object) -> None:
        if self.lock is not None:
            self.lock.release()
            (self.out / ".lock").unlink(missing_ok=True)
