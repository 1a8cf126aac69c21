"""The label column of a canonical table: which labels there are, and how many rows have each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.errors import DataError
from stratune.task import Task

if TYPE_CHECKING:
    from datasets import Dataset


def label_counts(table: Dataset, task: Task) -> dict[str, int]:
    """Rows of each label, in the task's order."""
    counts = Counter(name for cell in cells(table) for name in task.target.members(cell))
    return {label: counts[label] for label in task.labels}


def infer_labels(tables: Iterable[Dataset], task: Task, path: str | Path | None = None) -> tuple[str, ...]:
    """The labels of canonical tables, sorted (as numbers when all are); none of a regression.

    DataError for too few, ConfigError for levels whose order is not known.
    """
    distinct = {cell for table in tables for cell in table.unique("label")}
    found = {name for cell in distinct for name in task.target.members(cell)}
    if len(found) < task.target.fewest_labels:
        only = f"only one label, {next(iter(found))!r}" if found else "no labels"
        raise DataError(f"{only}: a classifier needs at least two", path=path)
    return task.target.in_order(found)


def cells(table: Dataset) -> list[Any]:
    return list(table["label"])
