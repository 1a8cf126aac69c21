"""Labels that validation or test has and no training row: refused, left out, or counted as wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
from datasets import Dataset

from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.issue import counted, named
from stratune.data.labels import cells
from stratune.errors import ConfigError, DataError, choices
from stratune.task import Task

Unknown = Literal["refuse", "drop", "wrong"]
HELD_OUT = ("val", "test")
Place = Callable[[str, str, int], DataError]  # (message, part, row index) -> the error


@dataclass(frozen=True)
class Known:
    """Parts whose labels are all the task's. `wrong`: those of them that no model may answer."""

    tables: dict[str, Dataset]
    task: Task
    warnings: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def check_unknown(choice: str) -> None:
    if choice not in get_args(Unknown):
        raise ConfigError(choices(choice, get_args(Unknown)), key="data.unknown")


def settle(tables: Mapping[str, Dataset], task: Task, choice: str, error: Place) -> Known:
    """`task` has its labels: those that the user named, or those of the training rows.

    Raises DataError (by `error`) for an unknown label under `refuse`, for a part of which nothing is left,
    and ConfigError for a label that counts as wrong where labels have an order.
    """
    check_unknown(choice)
    known, rows = set(task.labels), {part: _unknown_rows(tables[part], task) for part in HELD_OUT}
    if task.target.is_numeric or not any(rows.values()):
        return Known(dict(tables), task)
    if choice == "refuse":
        part = next(part for part in HELD_OUT if rows[part])
        index, label = next(iter(rows[part].items()))
        raise error(_refusal(label, part, rows[part], known, task), part, index)
    found = {part: Counter(rows[part].values()) for part in HELD_OUT if rows[part]}
    if choice == "drop":
        kept = {part: _without(table, rows.get(part, {})) for part, table in tables.items()}
        for part in found:
            if not len(kept[part]):
                raise error("no row is left: no training row has any label of this part", part, 0)
        return Known(kept, task, _warnings(found, tables, "left out, their label is that of no training row"))
    wrong = tuple(sorted({label for counts in found.values() for label in counts}))
    labels = task.target.in_order({*task.labels, *wrong})
    if tuple(label for label in labels if label in known) != task.labels:  # an order of the user's
        if task.target.measurement == "ordinal":
            why = f"the place of {wrong[0]!r} among the levels is not known: name all in their order"
            raise ConfigError(why, key="task.labels")
        labels = (*task.labels, *wrong)
    warnings = _warnings(found, tables, "count as wrong, their label is that of no training row")
    return Known(dict(tables), task.with_labels(labels), warnings, wrong)


def _unknown_rows(table: Dataset, task: Task) -> dict[int, str]:
    """Row index -> its first unknown label."""
    known, members = set(task.labels), task.target.members
    found = {}
    for index, cell in enumerate(cells(table)):
        strange = next((name for name in members(cell) if name not in known), None)
        if strange is not None:
            found[index] = strange
    return found


def _refusal(label: str, part: str, rows: Mapping[int, str], known: set[str], task: Task) -> str:
    whose = "the labels of the training rows" if task.target.one_label else "the known labels"
    found = (
        f"{choices(label, sorted(known))}, {whose}; {part} has {counted(len(rows), 'such row', 'such rows')}"
    )
    named_all = f"task.labels=[{', '.join([*task.labels[:2], '...'])}]"
    ways = f"name all labels ({named_all}), leave such rows out (--unknown drop), or count them as wrong"
    return f"{found}: {ways} (--unknown wrong)"


def _warnings(found: Mapping[str, Counter[str]], tables: Mapping[str, Dataset], what: str) -> tuple[str, ...]:
    return tuple(
        f"{part}: {counts.total():,} of {len(tables[part]):,} rows {what}: "
        f"{named([f'{label} ({count})' for label, count in sorted(counts.items())])}"
        for part, counts in found.items()
    )


def _without(table: Dataset, rows: Mapping[int, str]) -> Dataset:
    if not rows:
        return table
    keep = np.ones(len(table), dtype=bool)
    keep[list(rows)] = False
    return to_dataset(to_arrow(table).filter(pa.array(keep)))
