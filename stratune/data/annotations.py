"""Reading the single ratings behind a label: one list of ratings for each row.

A cell is one rating, or several: a list, JSON ("[3, 4]"), or numbers or names with commas between ("3,4").
Where every column holds one rating a cell, each column is a rater (raters.py): a row's list has one item for
each column, null where a rating is missing. Otherwise the lists of a row are concatenated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset

from stratune.data.arrow import as_text, to_arrow
from stratune.data.lists import listed
from stratune.data.raters import COLUMN
from stratune.data.read import row_of
from stratune.errors import DataError, choices
from stratune.task import Task

Place = Callable[[str, str, int], DataError]  # (message, column, row index) -> the error


def read_annotations(cells: Mapping[str, Sequence[Any]], task: Task, error: Place) -> pa.Array:
    """Columns of N cells -> N lists, of float64 for a regression, else of label names.

    Raises DataError for a rating that is no number, or none of `task.labels` (any name, where that is empty).
    """
    found: list[list[Any]] = [[] for _ in next(iter(cells.values()))]
    identified = not any(_listed(cell) for column in cells.values() for cell in column)
    for column, given in cells.items():
        for index, cell in enumerate(given):
            ratings = [cell] if identified else unpacked(cell)
            for rating in ratings:
                value = _rating(rating, task, column, index, error)
                if value is not None or identified:
                    found[index].append(value)
    of_one = pa.float64() if task.target.is_numeric else pa.string()
    return pa.array(found, pa.list_(of_one))


def check_ratings(table: Dataset, task: Task, labels: Sequence[str], path: str | Path) -> None:
    """Raises DataError for a rating that is none of `labels`: labels that were inferred after reading."""
    if task.annotations is None or not labels:
        return
    known = {None, *labels}
    for index, ratings in enumerate(to_arrow(table).column(COLUMN).to_pylist()):
        if unknown := [name for name in ratings if name not in known]:
            message = f"rating {choices(unknown[0], labels)}"
            raise DataError(message, path=path, row=row_of(path, index), column=task.annotations)


def _rating(rating: Any, task: Task, column: str, index: int, error: Place) -> float | str | None:
    name = as_text(rating)
    if name is None or not name.strip():
        return None
    try:
        return task.target.rating(name.strip())
    except ValueError as why:
        raise error(f"rating {why}", column, index) from why


def _listed(cell: Any) -> bool:
    return isinstance(cell, (list, tuple)) or (isinstance(cell, str) and (cell[:1] == "[" or "," in cell))


def unpacked(cell: Any) -> list[Any]:
    """The ratings of a cell, possibly none."""
    if isinstance(cell, (list, tuple)):
        return list(cell)
    if not isinstance(cell, str):
        return [cell]
    if cell[:1] == "[":
        found = listed(cell)
        return [cell] if found is None else found  # the error shows the cell as it is
    return cell.split(",")
