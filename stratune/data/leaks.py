"""Rows that stand on two sides: the same text, nearly the same, or the same group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from datasets import Dataset
from numpy.typing import NDArray

from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.issue import counted
from stratune.data.near import NearTexts, near_texts
from stratune.data.rows import text_columns

Flags = NDArray[np.bool_]
# Each part, and those whose rows it must not hold: what is measured stays as it is.
KEPT_FROM = {"val": ("test",), "train": ("val", "test")}


@dataclass(frozen=True)
class Sides:
    """Which rows of some parts have a text, nearly a text, or a group of another part."""

    tables: Mapping[str, Dataset]

    @cached_property
    def near(self) -> NearTexts:
        """Of all rows, part by part."""
        columns = [text_columns(table) for table in self.tables.values()]
        texts = [text for own, _ in columns for text in own]
        pairs = [pair for _, own in columns for pair in own or ()]
        return near_texts(texts, pairs if pairs else None)

    @cached_property
    def numbers(self) -> dict[str, NDArray[np.int64]]:
        """Of each part's texts; equal texts have one."""
        ends = np.cumsum([len(table) for table in self.tables.values()])
        return dict(zip(self.tables, np.split(self.near.numbers, ends[:-1]), strict=True))

    def same(self, part: str, other: str) -> Flags:
        """(N,) rows of a part whose text is in the other one."""
        return np.isin(self.numbers[part], self.numbers[other])

    def nearly(self, part: str, other: str) -> Flags:
        """(N,) rows of a part whose text is nearly one of the other part, and none of it."""
        one, two = self.near.links.T
        there = np.unique(self.numbers[other])
        near = np.concatenate([one[np.isin(two, there)], two[np.isin(one, there)]])
        return np.isin(self.numbers[part], near) & ~self.same(part, other)

    def repeated(self, part: str) -> Flags:
        """(N,) rows of a part whose text is that of an earlier row of it."""
        found = np.ones(len(self.numbers[part]), dtype=np.bool_)
        found[np.unique(self.numbers[part], return_index=True)[1]] = False
        return found

    def within(self, part: str) -> Flags:
        """(N,) rows of a part whose text is nearly that of an earlier row of it."""
        numbers, first = np.unique(self.numbers[part], return_index=True)
        at = dict(zip(numbers.tolist(), first.tolist(), strict=True))
        later = {
            max(one, two, key=at.__getitem__)
            for one, two in self.near.links.tolist()
            if one in at and two in at
        }
        return np.isin(self.numbers[part], np.asarray(sorted(later), dtype=np.int64))

    def grouped(self, part: str, other: str) -> Flags:
        """(N,) rows of a part whose group is in the other one."""
        table = self.tables[part]
        if "group" not in table.column_names or "group" not in self.tables[other].column_names:
            return np.zeros(len(table), dtype=np.bool_)
        return np.isin(np.asarray(table["group"][:]), np.unique(np.asarray(self.tables[other]["group"][:])))


def without_leaks(tables: Mapping[str, Dataset]) -> tuple[dict[str, Dataset], list[str]]:
    """The parts without rows of train that stand in val or test, and of val that stand in test; notes that
    say how many were dropped, and for what. Test is never changed.
    """
    kept, notes, sides = dict(tables), list[str](), Sides(tables)
    for part, others in KEPT_FROM.items():
        there = [other for other in others if other in tables]
        if part not in tables or not there:
            continue
        found = {
            "their text": np.logical_or.reduce([sides.same(part, other) for other in there]),
            "nearly their text": np.logical_or.reduce([sides.nearly(part, other) for other in there]),
            "their group": np.logical_or.reduce([sides.grouped(part, other) for other in there]),
        }
        drop = np.logical_or.reduce(list(found.values()))
        if drop.any():
            kept[part] = to_dataset(to_arrow(tables[part]).filter(pa.array(~drop)))
            why = ", ".join(f"{int(rows.sum()):,} for {what}" for what, rows in found.items() if rows.any())
            rows = counted(int(drop.sum()), "row", "rows")
            notes.append(f"{rows} of {part} that stand in {' or '.join(there)} were dropped: {why}")
    return kept, notes
