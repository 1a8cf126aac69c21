"""predictions.parquet of one run, as arrays in the split's row order and the task's label order.

The answers are those of the file: whatever threshold decided them, it is not applied again.
`truth` and `prediction` are label names (multilabel: those of a row joined by ",", in the task's order; ""
where there is none) and `score_<label>` their probabilities; of a regression they are numbers, no scores.
`id` is the user's column, or the row's number from 1 ("test:1" in an own test file). `annotations`, where
there are any, are lists of the raters' answers to the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.data.raters import COLUMN, identified
from stratune.data.rows import group_numbers
from stratune.errors import ArtifactError, boundary, choices
from stratune.evaluate.agreement import stacked
from stratune.target import Target
from stratune.task import Task

PARTS = ("val", "test")


@dataclass(frozen=True)
class Ratings:
    """N rows with R ratings at most. `identified`: each column holds the ratings of one rater."""

    values: npt.NDArray[np.float64]  # (N, R) numbers, or label indices; NaN where there is none
    identified: bool


@dataclass(frozen=True)
class Predictions:
    """N rows of one part, K labels. An invalid row is one whose prediction is no label, or no number."""

    truth: npt.NDArray[Any]  # (N,) label indices; multilabel (N, K) zeros and ones; regression (N,) numbers
    predictions: npt.NDArray[np.float64]  # (N, K) probabilities; regression (N, 1) values
    invalid: npt.NDArray[np.bool_]  # (N,)
    decided: npt.NDArray[Any]  # in the shape of the truth; K, which is no label, where invalid
    tokens_cut: npt.NDArray[np.int64]  # (N,)
    groups: npt.NDArray[np.intp] | None  # (N,) codes, only for a task with groups
    ratings: Ratings | None = None  # where the run had them


def read_predictions(
    path: Path, task: Task, ids: Mapping[str, list[str]], parts: Sequence[str] = PARTS
) -> dict[str, Predictions]:
    """Part ("val", "test") -> Predictions. ArtifactError when the file is damaged or of another split."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise ArtifactError(f"{path}: not there; the same `stratune compare` command makes the run again")
    with boundary(lambda why: ArtifactError(f"{path}: not a Parquet file, or cut short ({why})")):
        table = pq.read_table(path)
        table.validate(full=True)  # text that is not UTF-8
    scores = [f"score_{label}" for label in task.labels]
    group = ["group"] if task.group else []
    there = set(table.column_names)
    for column in ("id", "part", "truth", "prediction", "tokens_cut", *scores, *group):
        if column not in there:
            raise ArtifactError(f"{path}: column {choices(column, table.column_names)}")
    _check_types(path, table, task, scores)
    part = np.asarray(table["part"].to_pylist())
    return {one: _part(path, table.filter(pa.array(part == one)), task, ids[one], one) for one in parts}


def _check_types(path: Path, table: Any, task: Task, scores: Sequence[str]) -> None:
    from pyarrow import types

    def number(kind: Any) -> bool:
        return bool(types.is_floating(kind) or types.is_integer(kind))

    def text(kind: Any) -> bool:
        return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind))

    def answer(kind: Any) -> bool:
        return value(kind) or types.is_null(kind)

    value = number if task.target.is_numeric else text
    wanted = {"id": text, "part": text, "truth": value, "prediction": answer, "tokens_cut": types.is_integer}
    wanted |= dict.fromkeys(scores, number) | ({"group": text} if task.group else {})
    wanted |= {name: types.is_list for name in (COLUMN, "evidence", "course") if name in table.column_names}
    never_empty = {"id", "part", "group", COLUMN} | (set() if task.target.is_numeric else {"truth"})
    for name, fits in wanted.items():
        column = table[name]
        if not fits(column.type):
            raise ArtifactError(f"{path}: column {name!r} is of type {column.type}, which no run writes")
        if name in never_empty and column.null_count:
            raise ArtifactError(f"{path}: column {name!r} has {column.null_count:,} empty cells")


def _part(path: Path, table: Any, task: Task, ids: list[str], part: str) -> Predictions:
    rows = table.take(_order([str(one) for one in table["id"].to_pylist()], ids, path, part))
    row_names = [f"{path}: truth of {part} row {one!r}" for one in ids]
    truth, answers = rows["truth"].to_pylist(), rows["prediction"].to_pylist()
    _check(truth, task, row_names)
    scores = [np.asarray(rows[f"score_{label}"], dtype=np.float64) for label in task.labels]
    numbers = scores or [np.asarray([np.nan if one is None else one for one in answers], dtype=np.float64)]
    return Predictions(
        truth=task.target.truth(truth),
        predictions=np.stack(numbers, axis=1),
        invalid=np.asarray([not task.target.is_answer(one) for one in answers], dtype=bool),
        decided=task.target.decided_of(answers),
        tokens_cut=np.asarray([cut or 0 for cut in rows["tokens_cut"].to_pylist()], dtype=np.int64),
        groups=group_numbers(rows["group"].to_pylist()) if task.group else None,
        ratings=_ratings(rows, task, row_names),
    )


def _ratings(rows: Any, task: Task, row_names: list[str]) -> Ratings | None:
    """None without the column: the task may have got its annotations after the run was done."""
    if COLUMN not in rows.column_names or not task.annotations:
        return None
    lists = rows[COLUMN].to_pylist()
    for row, given in zip(row_names, lists, strict=True):
        there = [rating for rating in given if rating is not None]
        _check(there, task, [row.replace("truth", "ratings", 1)] * len(there))
    return Ratings(stacked(numbered(lists, task.target)), identified(task, lists))


def numbered(lists: Sequence[Sequence[Any]], target: Target) -> list[list[float | None]]:
    """Ratings of each row as numbers, or label indices; None stays."""
    return [[None if one is None else target.rated(one) for one in given] for given in lists]


def _check(cells: Sequence[Any], task: Task, row_names: Sequence[str]) -> None:
    for row, cell in zip(row_names, cells, strict=True):
        if (why := task.target.problem(cell)) is not None:
            raise ArtifactError(f"{row}: {why}")


def _order(found: list[str], wanted: list[str], path: Path, part: str) -> npt.NDArray[np.intp]:
    """(N,) positions that put the rows of the file into the split's order."""
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
