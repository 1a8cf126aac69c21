"""Pseudo-values: how much each row, or group of rows, counts for a metric (Quenouille 1956, Tukey 1958).

Of a mean over rows they are the rows' own values: 1 and 0 of accuracy. Of any other metric they are what
comes nearest to that, U θ - (U - 1) θ without the unit: their mean is nearly the metric, and their spread is
its spread. So what is known of means (paired tests, signs turned at random) can be used for every metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.scoring import Scorer

UNITS = 1000  # of more rows, or groups, several are left out together
_BLOCK = 128  # weightings at a time


def units_of(rows: int, groups: npt.NDArray[Any] | None = None) -> npt.NDArray[np.intp]:
    """(N,) the unit of each row: itself, its group, or, of more than UNITS, one of UNITS random shares."""
    unit = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(unit.max()) + 1
    if count <= UNITS:
        return unit
    share = np.random.default_rng(0).permutation(count) % UNITS
    return share[unit]


def pseudo_values(
    scorers: Sequence[Scorer], names: Sequence[str], units: npt.NDArray[np.intp]
) -> dict[str, Floats]:
    """Metric -> (S, U) of S seeds; NaN where the metric is undefined, with all rows or without a unit."""
    count, rows = int(units.max()) + 1, len(units)
    whole = [scorer.values(np.ones((rows, 1))) for scorer in scorers]
    kept: dict[str, list[Floats]] = {name: [] for name in names}
    for start in range(0, count, _BLOCK):
        left_out = np.arange(start, min(start + _BLOCK, count))
        weights = (units[:, None] != left_out).astype(np.float64)
        by_run = [scorer.values(weights) for scorer in scorers]
        for name in names:
            kept[name].append(np.stack([values[name] for values in by_run]))
    return {
        name: count * np.stack([values[name] for values in whole])
        - (count - 1) * np.concatenate(blocks, axis=1)
        for name, blocks in kept.items()
    }
