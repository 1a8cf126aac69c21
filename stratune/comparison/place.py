"""The folder of a comparison: where it is, what is ours in it, one comparison at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from stratune.comparison.source import KEPT_ROWS
from stratune.errors import ArtifactError, ConfigError
from stratune.files import cache_folder, remove_abandoned, sha256, write_json
from stratune.identity import difference
from stratune.ownership import LOCK, MARKER, Owned, is_free
from stratune.report import texts
from stratune.train.processes import is_main

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.config import Config
    from stratune.data.split import Split

PARENT = Path("stratune-out")
# What a comparison writes before its runs, apart from KEPT_ROWS, which are its source.
FILES = ("config.yaml", "split.json", "data.json")
# What makes two comparisons' rows strangers to each other; of the rest a run's identity decides.
ONE_OF = ("data", "task")


def name_of(source: Any) -> str:
    """`reviews` of reviews.csv, `demo-reviews` of demo:reviews, `comparison` of rows in memory."""
    if not isinstance(source, (str, Path)):
        return "comparison"
    named = str(source)
    return named.replace(":", "-").replace("/", "-") if ":" in named else Path(named).stem


def default_place(name: str, shared: Mapping[str, Any]) -> Path:
    """stratune-out/NAME, or, where other data or another task is compared there, one of its own beside it."""
    first = PARENT / name
    digest = sha256(*(str(shared[key]) for key in ONE_OF))[:8]
    return first if is_free(first) or _holds(first, shared) else PARENT / f"{name}-{digest}"


def _holds(out: Path, shared: Mapping[str, Any]) -> bool:
    try:
        owned = Owned.read(out)
    except ArtifactError:
        return False
    return owned is not None and all(owned.compares.get(key) == shared[key] for key in ONE_OF)


def check_place(out: Path) -> Owned | None:
    """Ours, None for a new one. Raises ConfigError when `out` is somebody else's, or cannot be written."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file, not a folder", key="out")
    owned = Owned.read(out)
    if owned is not None:
        owned.check_files()
    if owned is None and not is_free(out):
        why = f"{out} is not empty and holds no comparison (no {MARKER})"
        raise ConfigError(f"{why}; nothing in it is touched: choose another folder", key="out")
    parent = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ConfigError(f"{out} cannot be written to", key="out")
    return owned


def check_same(owned: Owned | None, shared: Mapping[str, Any]) -> None:
    """Raises ArtifactError when the folder holds a comparison on other data or of another task."""
    wanted = {key: shared[key] for key in ONE_OF}
    if owned is not None and (other := difference(owned.compares, wanted)):
        advice = "choose another --out, or start over with --fresh"
        raise ArtifactError(f"{owned.folder}: holds another comparison ({other}); {advice}")


def prepare(
    out: Path,
    config: Config,
    split: Split,
    shared: Mapping[str, Any],
    report: Mapping[str, Any],
    rows: Mapping[str, Dataset],
    runs: Sequence[str],
    *,
    fresh: bool,
) -> None:
    """Mark the folder and write down what is compared. All has been checked; `out` is locked.

    `report`: data.json. `rows`: parts that came from memory. `runs`: ids of the planned runs.
    """
    if not is_main():
        return
    owned = check_place(out)  # once more: another comparison may have begun here before the lock
    if owned is not None and not fresh:
        check_same(owned, shared)
    owned = owned or Owned.claim(out, shared)
    if fresh:
        owned.disown(owned.files)
    owned.sweep()
    _sweep_cache()
    kept = [KEPT_ROWS[part] for part in rows]
    owned.own(*FILES, *kept, *(f"runs/{run}" for run in runs))
    owned.compares = dict(shared)
    owned.save()
    for part, table in rows.items():
        _keep_rows(out / KEPT_ROWS[part], table)
    config.save(out / "config.yaml")
    split.save(out / "split.json")
    write_json(out / "data.json", dict(report))
    if config.report.texts:
        owned.own(texts.FILE)
        texts.keep(out, split.test)
    else:
        owned.disown([texts.FILE])


def _keep_rows(path: Path, table: Dataset) -> None:
    import pyarrow.parquet as pq

    from stratune.data.arrow import to_arrow
    from stratune.files import replacing

    with replacing(path) as temporary:
        pq.write_table(to_arrow(table), temporary)


def _sweep_cache() -> None:
    cache = cache_folder()
    for folder in (cache, *(one for one in cache.iterdir() if one.is_dir())):
        remove_abandoned(folder)


class locked:
    """One comparison at a time in a folder. The kernel drops the lock of a killed process."""

    def __init__(self, out: Path) -> None:
        self.lock = FileLock(out / LOCK) if is_main() else None
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
            (self.out / LOCK).unlink(missing_ok=True)
