"""The label column of a canonical table: which labels there are, and how many rows have each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.data.arrow import as_text, to_arrow
from stratune.data.lists import quoted
from stratune.errors import DataError
from stratune.target.numbers import number
from stratune.task import Task

if TYPE_CHECKING:
    from datasets import Dataset

RATINGS = 20  # whole numbers that a rating may have
FRACTIONS = 10  # numbers with decimals that a rating may have: 1, 1.5, ... 5
MANY = 50  # whole numbers that labels may be, and a tenth of the rows


def label_counts(table: Dataset, task: Task) -> dict[str, int]:
    """Rows of each label, in the task's order."""
    counts = Counter(name for cell in cells(table) for name in task.target.members(cell))
    return {label: counts[label] for label in task.labels}


def infer_labels(tables: Sequence[Dataset], task: Task, path: str | Path | None = None) -> tuple[str, ...]:
    """The labels of canonical tables, sorted (as numbers when all are); none of a regression.

    DataError for too few, or for what is a score or a list; ConfigError for levels whose order is not known.
    """
    distinct = {cell for table in tables for cell in table.unique("label")}
    found = {name for cell in distinct for name in task.target.members(cell)}
    if why := _unfit(sorted(found), sum(len(table) for table in tables), task):
        raise DataError(why, path=path, column=task.label)
    if len(found) < task.target.fewest_labels:
        only = f"only one label, {next(iter(found))!r}" if found else "no labels"
        raise DataError(f"{only}: a classifier needs at least two", path=path)
    return task.target.in_order(found)


def one_level_note(raw: Dataset, task: Task) -> str | None:
    """'2' and '2.0' are one level, '2': of the column as it is written. None: each is written in one way."""
    if task.label not in raw.column_names or not task.target.one_label:
        return None
    distinct = {as_text(cell) or "" for cell in to_arrow(raw).column(task.label).unique().to_pylist()}
    names: dict[str, list[str]] = defaultdict(list)
    for cell, label in sorted(task.target.respelt(distinct, task.labels).items()):
        names[label].append(cell)
    if not names:
        return None
    each = "; ".join(f"{', '.join(map(repr, same))} is {label!r}" for label, same in names.items())
    return f"one level in several spellings: {each}"


def cells(table: Dataset) -> list[Any]:
    found: list[Any] = to_arrow(table).column("label").to_pylist()
    return found


def look_like_scores(labels: Sequence[str]) -> bool:
    """Whether all are numbers, and more than a rating has."""
    numbers = [number(label) for label in labels]
    whole = all(value is not None and value.is_integer() for value in numbers)
    return None not in numbers and len(labels) > (RATINGS if whole else FRACTIONS)


def _unfit(labels: Sequence[str], rows: int, task: Task) -> str | None:
    """Why labels that were found in `rows` rows are none; None: nothing speaks against them."""
    if not task.target.one_label:
        return None
    if labels and all(map(quoted, labels)):
        return f"labels are lists, such as {labels[0]!r}: for several labels a row use --kind multilabel"
    numbers = [number(label) for label in labels]
    whole = all(value is not None and value.is_integer() for value in numbers)
    if None not in numbers and len(labels) > max(MANY if whole else FRACTIONS, rows / 10):
        found = f"{len(labels):,} different numbers in {rows:,} rows, such as {labels[0]} and {labels[-1]}"
        return f"{found}: for a score use --kind regression; if they are labels, name them in task.labels"
    return None
