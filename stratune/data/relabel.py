"""Labels under other names: two that become one (`data.relabel: {joy: happy, delight: happy}`).

The file stays as it is. Single ratings are renamed with the labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from datasets import Dataset

from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.issue import counted, named
from stratune.data.raters import COLUMN
from stratune.errors import ConfigError, DataError
from stratune.task import Task

KEY = "data.relabel"


@dataclass
class Relabel:
    """`names`: old -> new; `rows` of each old one that were renamed."""

    names: Mapping[str, str]
    rows: Counter[str] = field(default_factory=Counter)

    def tasks(self, task: Task) -> tuple[Task, Task]:
        """The task as the file has its labels, and as they are named in the end; levels stay in order, and
        where several become one, it stands in the place of the first. `task.labels` may have either names.

        Raises ConfigError for a task of other labels than one a row.
        """
        if not self.names:
            return task, task
        if not task.target.one_label or task.bins is not None:
            raise ConfigError(f"{task.kind}: labels are renamed where each row has one", key=KEY)
        if not task.labels:
            return task, task
        old = [name for name in self.names if name not in task.labels]
        new = tuple(dict.fromkeys(self.names.get(label, label) for label in task.labels))
        return task.with_labels((*task.labels, *old)), task.with_labels(new)

    def to(self, table: Dataset) -> Dataset:
        """A canonical table with its labels, and the ratings of its rows, renamed."""
        if not self.names:
            return table
        arrow = to_arrow(table)
        labels = arrow.column("label").to_pylist()
        self.rows.update(label for label in labels if label in self.names)
        columns = {"label": pa.array([self.names.get(label, label) for label in labels], pa.string())}
        if COLUMN in arrow.column_names:
            given = arrow.column(COLUMN)
            renamed = [[self.names.get(one, one) for one in ratings] for ratings in given.to_pylist()]
            columns[COLUMN] = pa.array(renamed, given.type)
        for name, values in columns.items():
            arrow = arrow.set_column(arrow.column_names.index(name), name, values)
        return to_dataset(arrow)

    def note(self, path: str) -> str | None:
        """Raises DataError for a label that no row has."""
        if never := [name for name in self.names if not self.rows[name]]:
            raise DataError(f"no row has the label {never[0]!r}, which {KEY} renames", path=path)
        if not self.names:
            return None
        each = named([f"{old!r} is {new!r}" for old, new in self.names.items()])
        return f"{counted(self.rows.total(), 'row has', 'rows have')} another label than the file: {each}"


def relabelled(names: Mapping[str, str] | None) -> Relabel:
    return Relabel(dict(names or {}))


def merging(labels: tuple[str, ...], one: str, other: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """What `data.relabel` and `task.labels` are where two labels become one."""
    name = f"{one} or {other}"
    names = {one: name, other: name}
    return names, tuple(dict.fromkeys(names.get(label, label) for label in labels))
