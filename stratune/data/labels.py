"""The label column of a canonical table, as each kind of task reads it: a name, names, or a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import ConfigError, DataError
from stratune.task import SEPARATOR, Task

if TYPE_CHECKING:
    from datasets import Dataset

TENTHS = 10  # strata of values


def label_set(cell: str) -> list[str]:
    """The labels of one row of a multilabel table."""
    return cell.split(SEPARATOR) if cell else []


def members(cell: str, task: Task) -> list[str]:
    """The labels that a row has; none of a value."""
    if task.kind == "regression":
        return []
    return label_set(cell) if task.kind == "multilabel" else [cell]


def label_counts(table: Dataset, task: Task) -> dict[str, int]:
    """Rows of each label, in the task's order."""
    counts = Counter(name for cell in cells(table) for name in members(cell, task))
    return {label: counts[label] for label in task.labels}


def infer_labels(tables: Iterable[Dataset], task: Task, path: str | Path | None = None) -> tuple[str, ...]:
    """The labels of canonical tables, sorted (as numbers when all are); none of a regression.

    DataError for fewer than two, ConfigError for levels whose order nobody said.
    """
    if task.kind == "regression":
        return ()
    distinct = {cell for table in tables for cell in table.unique("label")}
    found = {name for cell in distinct for name in members(cell, task)}
    least = 1 if task.kind == "multilabel" else 2
    if len(found) < least:
        only = f"only one label, {next(iter(found))!r}" if found else "no labels"
        raise DataError(f"{only}: a classifier needs at least two", path=path)
    return sorted_names(found, task)


def sorted_names(found: Iterable[str], task: Task) -> tuple[str, ...]:
    """As numbers when all are. ConfigError for levels whose order nobody said."""
    try:
        return tuple(sorted(found, key=lambda label: (float(label), label)))
    except ValueError as error:
        if task.kind == "ordinal":
            names = ", ".join(sorted(found)[:5])
            raise ConfigError(f"give the levels in their order; found {names}", key="task.labels") from error
        return tuple(sorted(found))


def strata(table: Dataset, task: Task) -> list[str]:
    """What every part should have its share of (N,): the row's label; of several the one that is rarest in
    the table; of values the tenth that they lie in.
    """
    given = cells(table)
    if task.kind == "regression":
        values = np.array([float(cell) for cell in given])
        edges = np.unique(np.quantile(values, np.linspace(0, 1, TENTHS + 1)[1:-1]))
        return [f"{tenth:02d}" for tenth in np.searchsorted(edges, values, side="right")]
    if task.kind != "multilabel":
        return given
    counts = Counter(name for cell in given for name in label_set(cell))
    return [min(label_set(cell), key=lambda name: (counts[name], name), default="") for cell in given]


def unknown(cell: str, task: Task, known: Sequence[str] | set[str]) -> str | None:
    """The first label of a row that is not among `known`."""
    return next((name for name in members(cell, task) if name not in known), None)


def cells(table: Dataset) -> list[Any]:
    return list(table["label"])
