"""Soft labels: the shares of a row's raters, in the place of the one label that most of them gave.

A model that learns them learns how often people disagree (Peterson et al. 2019, "Human uncertainty makes
classification more robust"; Uma et al. 2021, "Learning from Disagreement: A Survey").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.data.arrow import to_arrow
from stratune.data.raters import COLUMN
from stratune.errors import ConfigError
from stratune.files import sha256
from stratune.task import Task

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from numpy.typing import NDArray

    from stratune.data.split import Split


def check_soft(task: Task, name: str) -> None:
    """Raises ConfigError where the task has no shares that a strategy called `name` could learn."""
    key = f"strategies.{name}"
    if not task.target.one_label:
        raise ConfigError(f"soft labels are shares of labels, and this is {task.kind}", key=key)
    if not task.annotations:
        raise ConfigError(
            "soft labels are the shares of raters: name their columns in --annotations", key=key
        )


def soft_truth(table: Dataset, task: Task) -> NDArray[np.float64]:
    """(N, K): of each row's ratings the share of each label; of a row without ratings, all of its label.

    `table` is canonical, and its task has ratings (`check_soft`).
    """
    rows = to_arrow(table)
    shares = shares_of(rows.column(COLUMN), task.labels)
    own = task.target.soft(task.target.truth(rows.column("label").to_pylist()))
    return np.where(shares.sum(axis=1, keepdims=True) > 0, shares, own)


def digest_of_ratings(split: Split) -> str:
    """Of what is learned, and what probabilities are calibrated to."""
    return sha256(*(soft_truth(table, split.task).tobytes() for table in (split.train, split.val)))


def shares_of(ratings: pa.ChunkedArray, labels: tuple[str, ...]) -> NDArray[np.float64]:
    """N lists of labels, null where a rating is missing -> (N, K); a row without ratings is all zeros."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists: Any = ratings.combine_chunks()
    row = np.asarray(pc.list_parent_indices(lists), dtype=np.int64)
    label = pc.index_in(pc.list_flatten(lists), pa.array(labels, pc.list_flatten(lists).type))
    given = np.asarray(pc.fill_null(label, -1), dtype=np.int64)
    there = given >= 0
    cells = row[there] * len(labels) + given[there]
    counts = np.bincount(cells, minlength=len(lists) * len(labels)).reshape(len(lists), len(labels))
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
