"""Intervals that cover rows and seeds.

A replicate of the metric (replicates.py) draws rows once for all seeds, because they were tested on the same
rows, and draws seeds with replacement; then it averages. The middle 95 % of 2,000 replicates is the interval.
With few seeds the part for seeds is too narrow (three seeds: by about a fifth); more seeds are the cure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.replicates import RESAMPLES, Replicates, replicates, seed_draws
from stratune.evaluate.scoring import Scorer


@dataclass(frozen=True)
class Interval:
    """A value, the mean over seeds on the rows as they are, and the ends of its interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def bootstrap(
    scorers: Sequence[Scorer],
    rows: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Every metric with its interval, over the scorers of S seeds, which have scored the same N `rows`.

    The same `seed` and N draw the same rows, so intervals of two strategies come from the same resamples.
    Replicates in which a metric is undefined (no row of a label drawn) are left out of its interval.
    """
    drawn = replicates(scorers, rows, groups=groups, resamples=resamples, seed=seed)
    return intervals(drawn, seed=seed, level=level)


def intervals(found: Replicates, *, seed: int = 0, level: float = 0.95) -> dict[str, Interval]:
    """Every metric that is defined, with its interval."""
    points, drawn = found.points, found.drawn
    runs, resamples = next(iter(drawn.values())).shape
    mix = seed_draws(seed).multinomial(runs, np.full(runs, 1 / runs), size=resamples) / runs  # (R, S)
    return {
        name: interval_of(found.value(name), np.einsum("rs,sr->r", mix, drawn[name]), level)
        for name in points
        if not np.isnan(points[name]).any()
    }


def interval_of(value: float, replicates: Floats, level: float = 0.95) -> Interval:
    """The middle of replicates (R,) around a value; those that are NaN are left out."""
    kept = replicates[~np.isnan(replicates)]
    if not len(kept):
        return Interval(value, value, value)
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
