"""Labels that somebody corrected: a table of row ids and labels, put in the place of those of the data.

It is what `stratune data suspects --write` gives, with the column `corrected` filled in where a label is
wrong; other rows of it are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets import Dataset

from stratune.data.arrow import as_text, to_arrow
from stratune.data.issue import counted
from stratune.data.read import cells_of, read, row_of, source_name
from stratune.data.write import safe_cell
from stratune.errors import DataError

COLUMNS = ("id", "corrected")


@dataclass
class Corrections:
    """`labels` by row id; `was`: the label that the row had, where the table says it."""

    path: str
    labels: dict[str, str]
    was: dict[str, str] = field(default_factory=dict)
    applied: set[str] = field(default_factory=set)

    def to(self, table: Dataset) -> Dataset:
        """A canonical table with the labels of its rows corrected. Raises DataError for a row that has
        another label than it had when it was corrected.
        """
        ids = to_arrow(table).column("id").to_pylist()
        labels = to_arrow(table).column("label").to_pylist()
        for at, row in enumerate(ids):
            if row not in self.labels:
                continue
            if self.was.get(row, labels[at]) not in (labels[at], safe_cell(labels[at])):
                why = f"row {row!r} was {self.was[row]!r} when it was corrected, and is {labels[at]!r} now"
                raise DataError(why, path=self.path)
            labels[at] = self.labels[row]
            self.applied.add(row)
        return table.remove_columns("label").add_column("label", labels)

    def note(self) -> str:
        """Raises DataError for ids that no row has."""
        unknown = [row for row in self.labels if row not in self.applied]
        if unknown:
            raise DataError(f"no row of the data has the id {unknown[0]!r}", path=self.path, column="id")
        rows = counted(len(self.applied), "row has", "rows have")
        return f"{rows} the labels of {self.path}"


def read_corrections(source: Any, **how: str | None) -> Corrections:
    """`how` text files are read. Raises DataError where the columns `id` or `corrected` are missing, where an
    id repeats, and where nothing is corrected.
    """
    table, path = read(source, **how), source_name(source)
    names = [*COLUMNS, *(["label"] if "label" in table.column_names else [])]
    cells: Mapping[str, list[str]] = {
        name: [(as_text(cell) or "").strip() for cell in cells_of(table, name, path)] for name in names
    }
    found = Corrections(path, {})
    for at, (row, label) in enumerate(zip(cells["id"], cells["corrected"], strict=True)):
        if not label:
            continue
        if row in found.labels:
            raise DataError(f"the id {row!r} repeats", path=path, row=row_of(path, at), column="id")
        found.labels[row] = label
        if "label" in cells:
            found.was[row] = cells["label"][at]
    if not found.labels:
        raise DataError("no row has a `corrected` label", path=path, column="corrected")
    return found
