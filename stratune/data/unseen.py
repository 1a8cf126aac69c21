"""Other test rows: they take the place of the test part once all else is split, and move nothing else.

Columns of the file may have other names than the task's. Rows whose text (or nearly their text, or their
group) is among the training or validation rows are left out: what a model has seen, or was chosen by,
measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
from datasets import Dataset

from stratune.data.annotations import check_ratings
from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.columns import canonical
from stratune.data.gold import check_least, taken, with_gold
from stratune.data.issue import counted
from stratune.data.leaks import Sides
from stratune.data.other_test import OtherTest
from stratune.data.read import Tables, read_tables, row_of
from stratune.data.split import Split, assemble
from stratune.data.unknown import settle
from stratune.errors import ConfigError, DataError, choices
from stratune.task import Task

PREFIX = "test:"
ROLES = ("text", "text_pair", "label", "group", "id")


def read_other(other: OtherTest, task: Task, texts: Tables | None = None) -> Tables:
    """The table, its columns called as the task calls them. Rows are numbered where the task has ids and the
    file has none. `texts`: those of transcripts, which are read already.
    """
    tables = texts or read_tables(other.source, encoding=other.encoding, delimiter=other.delimiter)
    table = tables.test if tables.test is not None else tables.train
    return replace(tables, train=_renamed(table, other, task, tables.name), val=None, test=None)


def _renamed(table: Dataset, other: OtherTest, task: Task, name: str) -> Dataset:
    for role in ROLES:
        own, wanted = getattr(other, role), getattr(task, role)
        if own is None or own == wanted:
            continue
        if wanted is None:
            raise ConfigError(f"the task has no {role}", key=f"data.other_test.{role}")
        if own not in table.column_names:
            raise DataError(choices(own, table.column_names), path=name, column=own)
        if wanted in table.column_names:
            table = table.remove_columns(wanted)
        table = table.rename_column(own, wanted)
    if task.id is not None and task.id not in table.column_names:
        table = table.add_column(task.id, [str(number) for number in range(1, len(table) + 1)])
    return table


def with_other_test(
    split: Split,
    other: OtherTest,
    near: bool,
    renamed: Callable[[Dataset], Dataset] = lambda table: table,
    texts: Tables | None = None,
) -> Split:
    """The split with these rows as its test part. `near`: rows of nearly a training or validation text count
    as seen; `renamed` gives labels other names (relabel.py); `texts` as `read_other`. DataError for wrong
    rows, or none that is left.
    """
    task = other.task(split.task)
    check_least(other.agreement, task, "data.other_test.agreement")
    tables = read_other(other, task, texts)
    raw, name = tables.train, tables.name
    kept = with_gold(raw, task, name, other.no_gold, other.agreement)
    records = None if kept.note(name, other.agreement) is None else kept.rows.tolist()
    table = canonical(
        taken(raw, kept),
        replace(task, labels=()),
        name,
        id_prefix=PREFIX,
        records=records,
        levels=task.labels,
    )
    table = renamed(table)
    check_ratings(table, task, task.labels, name)
    known = settle(
        {**split.parts, "test": table}, split.task, other.unknown, _error(name, records, split.task)
    )
    rest, left_out = _unseen(known.tables["test"], split, name, near)
    about = [note for note in split.notes if not note.startswith("test: ")]
    notes = [*about, *tables.notes, kept.note(name, other.agreement), left_out]
    parts = {**split.parts, "test": rest}
    warnings = (*split.warnings, *known.warnings)
    return assemble(parts, task, [note for note in notes if note], warnings, split.wrong, split.folds)


def _error(name: str, records: list[int] | None, task: Task) -> Callable[[str, str, int], DataError]:
    def found(message: str, part: str, index: int) -> DataError:
        record = index if records is None else records[index]
        return DataError(message, path=name, row=row_of(name, record), column=task.label)

    return found


def _unseen(table: Dataset, split: Split, name: str, near: bool) -> tuple[Dataset, str | None]:
    """Without the rows that stand in train or val, and how many these were."""
    sides = Sides({"train": split.train, "val": split.val, "test": table})
    seen = np.zeros(len(table), dtype=np.bool_)
    ways = {
        "with a text of theirs": sides.same,
        "nearly": sides.nearly,
        "in a group of theirs": sides.grouped,
    }
    counts = []
    for how, found in ways.items():
        there = found("test", "train") | found("test", "val")
        if new := int((there & ~seen).sum()):
            counts.append(f"{new:,} {how}")
        seen |= there
    if not seen.any():
        return table, None
    if seen.all():
        raise DataError("all of its rows are among the training or validation rows", path=name)
    left = to_dataset(to_arrow(table).filter(pa.array(~seen)))
    rows = counted(int(seen.sum()), "row", "rows")
    return left, f"{name}: left out {rows} that training or validation rows have shown ({', '.join(counts)})"
