"""A canonical table's columns, as models and metrics take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from datasets import Dataset


def text_columns(table: Dataset) -> tuple[list[str], list[str] | None]:
    from stratune.data.arrow import to_arrow  # imports datasets, which a report does not need

    columns = to_arrow(table)  # iterating over a Dataset's column takes 10 us a row
    pairs = columns.column("text_pair").to_pylist() if "text_pair" in table.column_names else None
    return columns.column("text").to_pylist(), pairs


def group_numbers(names: Sequence[Any]) -> NDArray[np.intp]:
    """(N,) whole numbers, equal within a group. A row without a group is a group of its own."""
    keys = [f"row {index}" if name is None else f"group {name}" for index, name in enumerate(names)]
    numbers: NDArray[np.intp] = np.unique(np.asarray(keys, dtype=object), return_inverse=True)[1]
    return numbers


def sample_rows(table: Dataset, count: int = 8) -> list[dict[str, str]]:
    """A few rows, for the check that a reloaded model gives the same outputs."""
    few = table.select(range(min(count, len(table))))
    return [dict(row) for row in few]
