"""The ratings of a whole table, with who gave them: what `data agree` works on.

Three ways to have them: a column for each rater; lists of nobody in particular; lists with a second column of
lists, of the raters' names in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from datasets import Dataset

from stratune.data.annotations import Place, read_annotations, unpacked
from stratune.data.arrow import as_text
from stratune.data.predictions import Ratings, numbered
from stratune.data.raters import JOIN, annotation_columns, identified
from stratune.data.read import cells_of, row_of
from stratune.errors import ConfigError, DataError
from stratune.evaluate.agreement import stacked
from stratune.task import Task

NOBODY = -1


@dataclass(frozen=True)
class Rated:
    """N rows with R ratings at most. `who` (N, R): positions in `names`, NOBODY where there is no rating;
    None where raters are not known. `ratings.identified`: column i holds the ratings of `names[i]`.
    """

    ratings: Ratings
    task: Task
    who: npt.NDArray[np.intp] | None
    names: tuple[str, ...]

    @property
    def label_count(self) -> int | None:
        """None: ratings are numbers."""
        return None if self.task.target.is_numeric else len(self.task.labels)


def read_rated(
    raw: Dataset,
    source: str,
    annotations: str,
    raters: str | None = None,
    *,
    kind: Any = None,
    labels: Sequence[str] = (),
) -> Rated:
    """Columns of `raw` (several joined by "+"). Without a kind: regression where ratings are numbers of more
    than two values and no `labels` are named, else classification.

    Raises DataError for a column that is not there, a rating that does not fit, lists of ratings and raters
    that differ in length, and a table without ratings; ConfigError for columns that do not belong together.
    """
    cells = {name: cells_of(raw, name, source) for name in annotation_columns(Task(annotations=annotations))}

    def error(message: str, column: str, index: int) -> DataError:
        return DataError(message, path=source, row=row_of(source, index), column=column)

    people: list[list[str]] | None = None
    if raters is not None:
        columns = [name.strip() for name in raters.split(JOIN) if name.strip()]
        if len(columns) != len(cells):
            why = f"{len(columns)} columns of raters for {len(cells)} of ratings"
            raise ConfigError(why, key="--raters")
        cells, people = _matched(cells, {name: cells_of(raw, name, source) for name in columns}, error)
    task = Task(annotations=annotations, labels=tuple(labels))
    lists = read_annotations(cells, task, error).to_pylist()
    distinct = {name for given in lists for name in given if name is not None}
    wanted: Any = kind or ("classification" if labels else _likely(distinct))
    task = replace(task, kind=wanted, metric="")
    if task.target.is_numeric:
        lists = read_annotations(cells, task, error).to_pylist()
    else:
        task = task.with_labels(tuple(labels) or task.target.in_order(distinct))
    values = stacked(numbered(lists, task.target))
    if not np.isfinite(values).any():
        raise DataError("no row has a rating", path=source, column=annotations)
    if people is not None:
        names = tuple(dict.fromkeys(name for row in people for name in row))
        place = {name: float(number) for number, name in enumerate(names)}
        who = stacked([[place[name] for name in row] for row in people])
        return Rated(Ratings(values, False), task, _codes(who), names)
    if identified(task, lists):
        who = np.where(np.isfinite(values), np.arange(values.shape[1], dtype=np.float64), np.nan)
        return Rated(Ratings(values, True), task, _codes(who), tuple(cells))
    return Rated(Ratings(values, False), task, None, ())


def _matched(
    ratings: dict[str, list[Any]], raters: dict[str, list[Any]], error: Place
) -> tuple[dict[str, list[Any]], list[list[str]]]:
    """Cells without what has no rating, and the raters of each row, in the order of the ratings."""
    people: list[list[str]] = [[] for _ in next(iter(ratings.values()))]
    kept: dict[str, list[Any]] = {}
    for (name, given), (whose, names) in zip(ratings.items(), raters.items(), strict=True):
        kept[name] = []
        for index, (one, other) in enumerate(zip(given, names, strict=True)):
            values, who = unpacked(one), [as_text(rater) or "" for rater in unpacked(other)]
            if not any(map(_there, values)):
                values, who = [], []
            if len(values) != len(who):
                raise error(f"{len(who)} raters of {len(values)} ratings in {name!r}", whose, index)
            pairs = [
                (value, rater.strip()) for value, rater in zip(values, who, strict=True) if _there(value)
            ]
            if any(not rater for _, rater in pairs):
                raise error(f"a rating in {name!r} has no rater", whose, index)
            kept[name].append([value for value, _ in pairs])
            people[index] += [rater for _, rater in pairs]
    return kept, people


def _there(value: Any) -> bool:
    return bool((as_text(value) or "").strip())


def _codes(who: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    return np.where(np.isnan(who), NOBODY, who).astype(np.intp)


def _likely(distinct: set[str]) -> str:
    try:
        values = {float(name) for name in distinct}
    except ValueError:
        return "classification"
    return "regression" if len(values) > 2 else "classification"
