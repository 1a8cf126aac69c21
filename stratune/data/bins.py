"""Binning: a score becomes a level (low, medium, high). Quantile edges come from the training rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.raters import COLUMN
from stratune.data.split import Split, assemble
from stratune.errors import ConfigError, DataError
from stratune.task import Bins, Task

NAMES = {2: ("low", "high"), 3: ("low", "medium", "high"), 5: ("1", "2", "3", "4", "5")}


def unbinned(task: Task) -> Task:
    """The task of the raw scores. They are read and split as such, so that both tasks have the same split."""
    return replace(task, kind="regression", labels=(), bins=None, metric="")


def binned(split: Split, task: Task) -> Split:
    """A split of scores, with every score replaced by its level.

    Raises ConfigError for bins that make no sense, DataError for one that no training row falls into.
    """
    assert task.bins is not None
    values = {part: split.task.target.truth(table["label"][:]) for part, table in split.parts.items()}
    bins = _resolved(task.bins, values["train"])
    names, edges = bins.names, np.asarray(bins.edges)
    parts = {}
    for part, table in split.parts.items():
        levels = np.searchsorted(edges, values[part], side="right")
        if part == "train" and (empty := sorted(set(range(len(names))) - set(levels.tolist()))):
            raise DataError(f"no training row falls into the bin {names[empty[0]]!r}; edges {bins.edges}")
        arrow = _with_binned_ratings(to_arrow(table), names, edges)
        column = pa.array([names[level] for level in levels], pa.string())
        parts[part] = to_dataset(
            arrow.set_column(arrow.column_names.index("label"), "label", column).append_column(
                "score", pa.array(values[part])
            )
        )
    task = replace(task, labels=names, bins=bins, annotations=split.task.annotations)
    return assemble(parts, task, split.notes, split.warnings, folds=split.folds)


def _with_binned_ratings(table: pa.Table, names: Sequence[str], edges: NDArray[np.float64]) -> pa.Table:
    """Ratings become levels by the same edges."""
    if COLUMN not in table.column_names:
        return table
    lists = [
        [
            None if rating is None else names[int(np.searchsorted(edges, rating, side="right"))]
            for rating in ratings
        ]
        for ratings in table.column(COLUMN).to_pylist()
    ]
    index = table.column_names.index(COLUMN)
    return table.set_column(index, COLUMN, pa.array(lists, pa.list_(pa.string())))


def _resolved(bins: Bins, values: NDArray[np.float64]) -> Bins:
    """The bins with both edges and names filled in."""
    count = len(bins.edges) + 1 if bins.edges else bins.quantiles or len(bins.names)
    if count < 2:
        raise ConfigError("give edges, a number of quantiles, or names of two bins or more", key="task.bins")
    names = bins.names or NAMES.get(count) or tuple(f"bin {number + 1}" for number in range(count))
    if len(names) != count:
        raise ConfigError(f"{len(names)} names for {count} bins", key="task.bins.names")
    edges = bins.edges or tuple(
        float(edge) for edge in np.quantile(values, np.linspace(0, 1, count + 1)[1:-1])
    )
    if list(edges) != sorted(set(edges)):
        raise ConfigError(f"edges rise, each above the one before; not {list(edges)}", key="task.bins.edges")
    return Bins(names=tuple(names), edges=tuple(edges))
