"""predictions.parquet of one run, as arrays in the split's row order and the task's label order.

`truth` and `prediction` are label names (multilabel: those of a row joined by ",", in the task's order; ""
where there is none) and `score_<label>` their probabilities; of a regression they are numbers, no scores.
`annotations`, where there are any, are lists: what each rater said of the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.data.raters import COLUMN, identified
from stratune.data.rows import group_numbers
from stratune.errors import ArtifactError, choices
from stratune.evaluate.agreement import stacked
from stratune.task import Kind, Task

PARTS = ("val", "test")


@dataclass(frozen=True)
class Ratings:
    """N rows, R ratings of one at most. `identified`: a column is one and the same rater."""

    values: npt.NDArray[np.float64]  # (N, R) numbers, of labels their positions; NaN is none
    identified: bool


@dataclass(frozen=True)
class Predictions:
    """N rows of one part, K labels. An invalid row is one whose prediction is no label, or no number."""

    truth: npt.NDArray[Any]  # (N,) label indices; multilabel (N, K) zeros and ones; regression (N,) numbers
    predictions: npt.NDArray[np.float64]  # (N, K) probabilities; regression (N, 1) values
    invalid: npt.NDArray[np.bool_]  # (N,)
    tokens_cut: npt.NDArray[np.int64]  # (N,)
    groups: npt.NDArray[np.intp] | None  # (N,) codes, only for a task with groups
    ratings: Ratings | None = None  # what each annotator said, where the run had it


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
    scores = [] if task.kind == "regression" else [f"score_{label}" for label in task.labels]
    group = ["group"] if task.group else []
    for column in ("id", "part", "truth", "prediction", "tokens_cut", *scores, *group):
        if column not in table.column_names:
            raise ArtifactError(f"{path}: column {choices(column, table.column_names)}")
    part = np.asarray(table["part"].to_pylist())
    return {one: _part(path, table.filter(pa.array(part == one)), task, ids[one], one) for one in PARTS}


def _part(path: Path, table: Any, task: Task, ids: list[str], part: str) -> Predictions:
    rows = table.take(_order([str(one) for one in table["id"].to_pylist()], ids, path, part))
    places = [f"{path}: truth of {part} row {one!r}" for one in ids]
    truth, predictions, invalid = _ANSWERS[task.kind](rows, task, places)
    return Predictions(
        truth=truth,
        predictions=predictions,
        invalid=invalid,
        tokens_cut=np.asarray([cut or 0 for cut in rows["tokens_cut"].to_pylist()], dtype=np.int64),
        groups=group_numbers(rows["group"].to_pylist()) if task.group else None,
        ratings=_ratings(rows, task, places),
    )


def _ratings(rows: Any, task: Task, places: list[str]) -> Ratings | None:
    """None without the column: ratings may have been named after the run was done."""
    if COLUMN not in rows.column_names or not task.annotations:
        return None
    lists, known = rows[COLUMN].to_pylist(), task.label_index()
    if task.kind != "regression":
        for place, names in zip(places, lists, strict=True):
            for name in filter(None, names):
                _check(name, known, place.replace("truth", "ratings", 1))
        lists = [[None if name is None else known[name] for name in names] for names in lists]
    return Ratings(stacked(lists), identified(task, lists))


def _one_label(rows: Any, task: Task, places: list[str]) -> Answers:
    """A label name each; what is no label is invalid."""
    known = task.label_index()
    truth = rows["truth"].to_pylist()
    for place, label in zip(places, truth, strict=True):
        _check(label, known, place)
    invalid = np.asarray([label not in known for label in rows["prediction"].to_pylist()], dtype=bool)
    return np.asarray([known[label] for label in truth], dtype=np.intp), _scores(rows, task), invalid


def _label_set(rows: Any, task: Task, places: list[str]) -> Answers:
    """Label names joined by ","; "" is none of them, so an invalid prediction is null or holds no label."""
    known = task.label_index()
    truth = np.zeros((len(places), len(known)), dtype=np.intp)
    for row, (place, joined) in enumerate(zip(places, rows["truth"].to_pylist(), strict=True)):
        for label in _labels(joined):
            _check(label, known, place)
            truth[row, known[label]] = 1
    answers = rows["prediction"].to_pylist()
    invalid = [answer is None or any(one not in known for one in _labels(answer)) for answer in answers]
    return truth, _scores(rows, task), np.asarray(invalid, dtype=bool)


def _value(rows: Any, task: Task, places: list[str]) -> Answers:
    """Numbers; null where the answer was none."""
    truth = rows["truth"].to_pylist()
    for place, number in zip(places, truth, strict=True):
        if not isinstance(number, (int, float)):
            raise ArtifactError(f"{place}: {number!r} is not a number")
    answers = rows["prediction"].to_pylist()
    invalid = np.asarray([answer is None for answer in answers], dtype=bool)
    predictions = np.asarray([np.nan if answer is None else answer for answer in answers], dtype=np.float64)
    return np.asarray(truth, dtype=np.float64), predictions[:, None], invalid


Answers = tuple[npt.NDArray[Any], npt.NDArray[np.float64], npt.NDArray[np.bool_]]  # truth, said, invalid
_ANSWERS: dict[Kind, Callable[[Any, Task, list[str]], Answers]] = {
    "classification": _one_label,
    "ordinal": _one_label,
    "multilabel": _label_set,
    "regression": _value,
}


def _labels(joined: str | None) -> list[str]:
    return joined.split(",") if joined else []


def _check(label: Any, known: dict[str, int], place: str) -> None:
    if label not in known:
        raise ArtifactError(f"{place}: {choices(label, known)}")


def _scores(rows: Any, task: Task) -> npt.NDArray[np.float64]:
    columns = [np.asarray(rows[f"score_{label}"], dtype=np.float64) for label in task.labels]
    return np.stack(columns, axis=1)


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
