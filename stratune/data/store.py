"""A split in the cache folder, so that runs in other processes read exactly the rows of the comparison."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
from datasets import Dataset

from stratune.cache import is_whole, kept
from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.fingerprint import PARTS
from stratune.data.pieces import COLUMN as PIECES
from stratune.data.raters import COLUMN
from stratune.data.split import Split
from stratune.errors import ArtifactError
from stratune.files import cache_folder, read_json, sha256, write_json
from stratune.task import Task

UNLABELLED = "unlabelled.parquet"


def splits_folder() -> Path:
    return cache_folder() / "splits"


def store_split(split: Split) -> Path:
    """The folder of this split, written if it is not there. Its name covers contents, assignment and task."""
    task = sorted(split.task.to_dict().items())
    others = [  # columns that the fingerprint leaves out, as training does not read them
        str(list(table[name]))
        for table in split.parts.values()
        for name in ("group", COLUMN, PIECES)
        if name in table.column_names
    ]
    others += [] if split.reading is None else [str(sorted(split.reading.items()))]
    folder = splits_folder() / sha256(split.fingerprint, str(task), *others)[:32]

    def make(empty: Path) -> None:
        for part, table in split.parts.items():
            pq.write_table(to_arrow(table), empty / f"{part}.parquet")
        if split.unlabelled is not None:
            pq.write_table(to_arrow(split.unlabelled), empty / UNLABELLED)
        about = {
            "task": split.task.to_dict(),
            "fingerprint": split.fingerprint,
            "notes": list(split.notes),
            "warnings": list(split.warnings),
            "wrong": list(split.wrong),
            "folds": list(split.folds),
            "reading": split.reading,
        }
        write_json(empty / "about.json", about)

    kept(folder, make)
    return folder


def load_parts(folder: Path) -> Split:
    """Raises ArtifactError where the files are not those that were stored."""
    if not is_whole(folder):
        raise ArtifactError(f"{folder}: damaged; the same `stratune compare` command makes it again")
    about = read_json(folder / "about.json")
    tables: dict[str, Dataset] = {
        part: to_dataset(pq.read_table(folder / f"{part}.parquet")) for part in PARTS
    }
    unlabelled = folder / UNLABELLED
    return Split(
        **tables,
        fingerprint=about["fingerprint"],
        task=Task.from_dict(about["task"]),
        notes=tuple(about["notes"]),
        warnings=tuple(about["warnings"]),
        wrong=tuple(about["wrong"]),
        folds=tuple(about.get("folds", ())),  # 0.11 or before wrote none
        reading=about.get("reading"),  # nor 0.18
        unlabelled=to_dataset(pq.read_table(unlabelled)) if unlabelled.is_file() else None,
    )
