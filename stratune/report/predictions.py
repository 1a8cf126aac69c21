"""predictions.parquet of one run, as arrays in the split's row order and the task's label order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.data.rows import group_numbers
from stratune.errors import ArtifactError, choices
from stratune.task import Task

PARTS = ("val", "test")


@dataclass(frozen=True)
class Predictions:
    """N rows of one part, K labels. An invalid row is one whose prediction is no label."""

    truth: npt.NDArray[np.intp]  # (N,) label indices
    probabilities: npt.NDArray[np.float64]  # (N, K)
    invalid: npt.NDArray[np.bool_]  # (N,)
    tokens_cut: npt.NDArray[np.int64]  # (N,)
    groups: npt.NDArray[np.intp] | None  # (N,) codes, only for a task with groups


def read_predictions(path: Path, task: Task, ids: dict[str, list[str]]) -> dict[str, Predictions]:
    """Part ("val", "test") -> Predictions. ArtifactError when the file is damaged or of another split."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise ArtifactError(f"{path}: not there; the same `stratune compare` command makes the run again")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ArtifactError(f"{path}: not a Parquet file, or cut short ({error})") from error
    scores = [f"score_{label}" for label in task.labels]
    for column in (
        "id",
        "part",
        "truth",
        "prediction",
        "tokens_cut",
        *scores,
        *(["group"] if task.group else []),
    ):
        if column not in table.column_names:
            raise ArtifactError(f"{path}: column {choices(column, table.column_names)}")
    part = np.asarray(table["part"].to_pylist())
    return {one: _part(path, table.filter(pa.array(part == one)), task, ids[one], one) for one in PARTS}


def _part(path: Path, table: Any, task: Task, ids: list[str], part: str) -> Predictions:
    rows = table.take(_order([str(one) for one in table["id"].to_pylist()], ids, path, part))
    known = task.label_index()
    truth = rows["truth"].to_pylist()
    for index, label in enumerate(truth):
        if label not in known:
            raise ArtifactError(f"{path}: truth of {part} row {ids[index]!r}: {choices(label, known)}")
    scores = [np.asarray(rows[f"score_{label}"], dtype=np.float64) for label in task.labels]
    return Predictions(
        truth=np.asarray([known[label] for label in truth], dtype=np.intp),
        probabilities=np.stack(scores, axis=1),
        invalid=np.asarray([label not in known for label in rows["prediction"].to_pylist()], dtype=bool),
        tokens_cut=np.asarray([cut or 0 for cut in rows["tokens_cut"].to_pylist()], dtype=np.int64),
        groups=group_numbers(rows["group"].to_pylist()) if task.group else None,
    )


def _order(found: list[str], wanted: list[str], path: Path, part: str) -> npt.NDArray[np.intp]:
    """Positions that put the rows found into the split's order: seeds may have written theirs in another."""
    if found == wanted:
        return np.arange(len(wanted))
    there, here = np.asarray(found, dtype=object), np.asarray(wanted, dtype=object)
    from_there, from_here = np.argsort(there, kind="stable"), np.argsort(here, kind="stable")
    if len(there) != len(here) or (there[from_there] != here[from_here]).any():
        raise ArtifactError(
            f"{path}: {len(found)} {part} rows that are not the {len(wanted)} of split.json; "
            "run the comparison again with --fresh"
        )
    order = np.empty(len(wanted), dtype=np.intp)
    order[from_here] = from_there
    return order
