"""Rows without a gold label, and rows whose raters hardly agree: named by the user, left out, counted.

Corpora mark a row that has no majority by a label that is none: SNLI by "-", on the hub by -1. The user names
such values; nothing is left out unasked. "" or `empty` is a cell without a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from datasets import Dataset

from stratune.data.annotations import read_annotations
from stratune.data.arrow import as_text, to_arrow, to_dataset
from stratune.data.issue import named
from stratune.data.predictions import numbered
from stratune.data.raters import annotation_columns
from stratune.data.read import cells_of, row_of
from stratune.errors import ConfigError, DataError
from stratune.evaluate.agreement import stacked
from stratune.evaluate.consensus import majority
from stratune.target.numbers import number
from stratune.task import Task

EMPTY = "empty"
# What corpora write where nobody knows the label.
USUAL = ("", "-", "-1", "?", "none", "null", "nan", "n/a", "na", "#n/a", "<na>", "nat")
_EPSILON = 1e-9  # 3 of 5 are 0.6


@dataclass(frozen=True)
class Kept:
    """`rows`: the places of what is left. `no_gold`: value -> rows of it that were left out; and how many
    were for their raters, who are `apart` or there are none (`unrated`).
    """

    rows: npt.NDArray[np.intp]
    total: int
    no_gold: dict[str, int]
    apart: int = 0
    unrated: int = 0

    def note(self, part: str, least: float | None) -> str | None:
        """train: left out 176 of 9,824 rows: 176 without a gold label ('-' 176). None: all are there."""
        if len(self.rows) == self.total:
            return None
        why = []
        if self.no_gold:
            each = named([f"{shown(value)} {count:,}" for value, count in self.no_gold.items()])
            why.append(f"{sum(self.no_gold.values()):,} without a gold label ({each})")
        if self.apart:
            why.append(f"{self.apart:,} whose raters agree by less than {least:g}")
        if self.unrated:
            why.append(f"{self.unrated:,} without ratings")
        return f"{part}: left out {self.total - len(self.rows):,} of {self.total:,} rows: {', '.join(why)}"


def shown(value: str) -> str:
    return EMPTY if value == "" else repr(value)


def check_least(least: float | None, task: Task, key: str) -> None:
    """Raises ConfigError for a share that is none, and where no raters' labels are there to agree."""
    if least is None:
        return
    if not 0 < least <= 1:
        raise ConfigError(f"{least:g}: expected a share above 0 up to 1", key=key)
    if not task.annotations:
        raise ConfigError("there are no ratings: name their columns in task.annotations", key=key)
    if not task.target.one_label or task.bins is not None:
        raise ConfigError("numbers have no majority: this is for labels", key=key)


def with_gold(
    raw: Dataset, task: Task, path: str | Path, no_gold: Sequence[str] = (), least: float | None = None
) -> Kept:
    """Which rows have a label that is none of `no_gold`, and whose majority at least the share `least` of
    their raters. Raises DataError where no row is left, or a column is not there.
    """
    total = raw.num_rows
    cells = cells_of(raw, task.label, path) if no_gold else []
    without = [no_value(cell, no_gold, raw, task.label) for cell in cells]
    counts = Counter(value for value in without if value is not None)
    keep = np.array([value is None for value in without] if no_gold else [True] * total, dtype=bool)
    apart = unrated = 0
    if least is not None:
        shares = _shares(raw, task, path)
        unknown = np.isnan(shares)
        low = ~enough(np.nan_to_num(shares, nan=1.0), least)
        apart, unrated = int((keep & low).sum()), int((keep & unknown).sum())
        keep &= ~(low | unknown)
    if not keep.any():
        what = (
            "no_gold and agreement" if least is not None and no_gold else "agreement" if least else "no_gold"
        )
        raise DataError(f"no row is left of {total:,}: data.{what} leaves all of them out", path=path)
    return Kept(np.flatnonzero(keep), total, dict(sorted(counts.items())), apart, unrated)


def taken(raw: Dataset, kept: Kept) -> Dataset:
    """The rows that are left, with the columns' types."""
    if len(kept.rows) == kept.total:
        return raw
    rows = to_dataset(to_arrow(raw).take(pa.array(kept.rows)))
    return rows.cast(raw.features) if rows.features != raw.features else rows


def no_value(cell: Any, no_gold: Sequence[str], raw: Dataset, column: str) -> str | None:
    """Which of `no_gold` a cell is, "" where it is empty; None: it is a label."""
    text = (as_text(cell) or "").strip()
    names = getattr(raw.features[column], "names", None)
    if names and isinstance(cell, int) and cell >= 0:
        text = names[cell]
    hidden = bool(names) and isinstance(cell, int) and cell < 0
    if text in no_gold:
        return text
    if (text == "" or hidden) and ("" in no_gold or EMPTY in no_gold):
        return ""
    return None


def enough(shares: npt.NDArray[np.float64], least: float) -> npt.NDArray[np.bool_]:
    """(N,) whether so large a share of a row's raters is of one mind."""
    return np.asarray(shares >= least - _EPSILON)


def usual(values: Sequence[str]) -> list[str]:
    """Those of distinct label cells that read as if they stood for no label."""
    found = [value for value in values if " ".join(value.split()).casefold() in USUAL]
    others = [number(value.strip()) for value in values if value.strip() != "-1"]
    return [value for value in found if value.strip() != "-1" or _beside_names(others)]


def _beside_names(others: Sequence[float | None]) -> bool:
    """Whether these labels beside -1 are names, or the numbers of classes: 0, 1, 2. (-1, 0, 1 is a scale.)"""
    if all(value is None for value in others):
        return True
    return {*others} == {*range(len(others))} and len(others) != 2


def _shares(raw: Dataset, task: Task, path: str | Path) -> npt.NDArray[np.float64]:
    """(N,) the share of a row's ratings that are its majority; NaN without ratings."""
    cells = {name: cells_of(raw, name, path) for name in annotation_columns(task)}

    def error(message: str, column: str, index: int) -> DataError:
        return DataError(message, path=path, row=row_of(path, index), column=column)

    lists = read_annotations(cells, task, error).to_pylist()
    distinct = sorted({name for given in lists for name in given if name is not None})
    if not distinct:
        return np.full(len(lists), np.nan)
    target = Task(labels=tuple(distinct)).target
    return majority(stacked(numbered(lists, target)), len(distinct)).share
