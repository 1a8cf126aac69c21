"""Fewer training rows for a learning curve: each subset holds the smaller ones, and nothing else changes.

The training rows are put into one order (assign.py), of which a subset takes the first: stratified by label,
and in whole groups where the task has groups, of which the last may be cut. Validation, test, labels and bins
stay those of all training rows. Where the training rows are validation too, the subset gets folds of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stratune.data import assign
from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.labels import cells
from stratune.data.rows import group_numbers
from stratune.data.share_out import new_folds
from stratune.data.split import Split, assemble
from stratune.errors import ConfigError


@dataclass(frozen=True)
class Subset:
    """`rows` of the training rows; `draw` 0, 1, ... are orders of their own."""

    rows: int
    draw: int = 0


def first_rows(split: Split, subset: Subset, seed: int, near: bool) -> Split:
    """`seed`, `near`: as the split was made. ConfigError for more rows than there are, DataError for too few
    to make folds of.
    """
    table, total = to_arrow(split.train), len(split.train)
    if not 1 <= subset.rows <= total:
        raise ConfigError(f"{subset.rows:,} of {total:,} training rows", key="data.subset_rows")
    groups = table.column("group").to_pylist() if split.task.group else [None] * total
    strata = split.task.target.strata(cells(split.train))
    order = assign.in_order(strata, group_numbers(groups).tolist(), (seed, subset.draw))
    keep = np.zeros(total, dtype=bool)
    keep[order[: subset.rows]] = True
    train = to_dataset(table.filter(pa.array(keep)))
    parts = {**split.parts, "train": train, **({"val": train} if split.cross_validated else {})}
    folds = new_folds(train, split.task, seed, near) if split.cross_validated else ()
    note = f"{subset.rows:,} of {total:,} training rows, in draw {subset.draw}"
    return assemble(parts, split.task, (*split.notes, note), split.warnings, split.wrong, folds)
