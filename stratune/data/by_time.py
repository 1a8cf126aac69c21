"""A split by time: the oldest rows train, the next ones are validation, the newest are test.

A model is used on texts of tomorrow. Where the world moves (new products, new words, other shares of labels),
rows that are drawn at random flatter it: it has seen the texts of the same week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from stratune.data.arrow import to_arrow
from stratune.data.fingerprint import PARTS
from stratune.data.issue import counted
from stratune.data.moments import Moments, moments_of, rows_until
from stratune.data.near import equal_texts, near_texts
from stratune.data.rows import text_columns
from stratune.errors import ConfigError, DataError

KEY = "data.split_by"


@dataclass(frozen=True)
class Period:
    """The first and the last moment of a part's rows, as they are written in the data."""

    first: str
    last: str


@dataclass(frozen=True)
class ByTime:
    """How a split was made by a column: `periods` of train, val and test, as far as their rows have one."""

    column: str
    periods: Mapping[str, Period]

    def to_dict(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "periods": {part: [one.first, one.last] for part, one in self.periods.items()},
        }

    def note(self) -> str:
        """split by 'date': trained until 2019-03-04, validation from .. until .., tested from .. until .."""
        said = {"train": "trained", "val": "validated", "test": "tested"}
        spans = [f"{said[part]} from {one.first} until {one.last}" for part, one in self.periods.items()]
        return f"split by {self.column!r}: {', '.join(spans)}"


class Splitter:
    """One column of a source, and of the user's own parts, as `load_split` reads them."""

    def __init__(self, column: str, fractions: Sequence[float], own: Sequence[str]) -> None:
        """`own`: parts that are given. Raises ConfigError where all are."""
        self.column, self.carved = column, [part for part in PARTS if part not in own]
        if len(self.carved) < 2:
            raise ConfigError("validation and test rows are given: nothing is left to split", key=KEY)
        shares = dict(zip(PARTS, fractions, strict=True))
        others = [shares[part] for part in self.carved[1:]]
        self.shares = [1 - sum(others), *others]
        self.found: dict[str, Moments] = {}  # by table: the source is train's
        self.ids: dict[str, list[str]] = {}

    def parts(self, raw: Dataset, table: Dataset, path: str | Path) -> list[str]:
        """The part of each row of the source. `table`: the same rows, canonical. Raises DataError as
        `moments_of`, and where moments are too few.
        """

        def error(why: str) -> DataError:
            return DataError(why, path=path, column=self.column)

        moments = self._read("train", raw, table, path)
        ends = rows_until(moments, self.shares, error)
        return [self.carved[place] for place in np.searchsorted(ends, moments.order, side="left")]

    def own(self, part: str, raw: Dataset, table: Dataset, path: str | Path) -> None:
        """A part of the user's own: the column need not be there."""
        if self.column in raw.column_names:
            self._read(part, raw, table, path, self.found["train"].form)

    def _read(
        self, part: str, raw: Dataset, table: Dataset, path: str | Path, form: str | None = None
    ) -> Moments:
        self.ids[part] = to_arrow(table).column("id").to_pylist()
        self.found[part] = moments_of(raw, self.column, path, form)
        return self.found[part]

    def described(self, tables: Mapping[str, Dataset]) -> tuple[ByTime, list[str]]:
        """The periods of the parts as they are in the end; warnings where the user's own are no later."""
        ends: dict[str, tuple[Any, Any]] = {}
        periods: dict[str, Period] = {}
        for part in PARTS:
            there = part if part in self.found else "train" if part in self.carved else None
            if there is None or not len(tables[part]):
                continue
            moments = self.found[there]
            at = dict(zip(self.ids[there], moments.order.tolist(), strict=True))
            rows = to_arrow(tables[part]).column("id").to_pylist()
            if not at.keys() >= set(rows):  # other rows took their place (unseen.py)
                continue
            own = [at[row] for row in rows]
            low, high = min(own), max(own)
            ends[part] = moments.values[low], moments.values[high]
            periods[part] = Period(moments.names[low], moments.names[high])
        return ByTime(self.column, periods), _overlaps(ends, periods)


def _overlaps(ends: Mapping[str, tuple[Any, Any]], periods: Mapping[str, Period]) -> list[str]:
    found = []
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        if one in ends and other in ends and ends[other][0] <= ends[one][1]:
            early, late = periods[other].first, periods[one].last
            found.append(f"{other} rows begin at {early}, and rows of {one} go on until {late}")
    return found


def check_apart(table: Dataset, parts: Sequence[str], column: str, near: bool, path: str | Path) -> None:
    """Raises DataError where a group, or a text (with `near`: or nearly that text), has rows in two parts:
    time has put them there, and a model would be measured on what it has seen.
    """
    numbers = np.asarray([PARTS.index(part) for part in parts])
    texts = (near_texts if near else equal_texts)(*text_columns(table)).clusters()[0]
    units = {"text": texts}
    if "group" in table.column_names:
        names = np.asarray(to_arrow(table).column("group").to_pylist(), dtype=object)
        units = {"group": np.unique(names, return_inverse=True)[1], **units}
    older = {what: _older(numbers_of, numbers) for what, numbers_of in units.items()}
    said = [
        counted(len(np.unique(units[what][rows])), what, f"{what}s")
        for what, rows in older.items()
        if rows.any()
    ]
    if said:
        dropped = int(np.logical_or.reduce(list(older.values())).sum())
        drops = f"--drop-leaks drops their {counted(dropped, 'older row', 'older rows')}"
        apart = ", --group none lets groups apart" if "group" in older and older["group"].any() else ""
        why = f"split by time, {' and '.join(said)} would stand on two sides"
        raise DataError(f"{why}; {drops} of {len(numbers):,}{apart}", path=path, column=column)


def _older(units: NDArray[np.intp], parts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) rows of which a later part has the unit, too."""
    last = np.zeros(int(units.max()) + 1, dtype=np.int64)
    np.maximum.at(last, units, parts)
    return np.asarray(parts < last[units])
