"""A slice of the rows against all other rows: by how much its score differs.

Slice and rest share no row, so the interval of their difference adds the squares of the distances from each
value to the end of its own interval (MOVER: Zou and Donner 2008); both are those that a whole part would have
(intervals.py). Groups with rows on both sides, and seeds, move the two together: then the product of the
distances, times the correlation of the replicates, is taken off (Zou 2007, "Toward using confidence intervals
to compare correlations", eq. 15). p is where the interval's end is at zero.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.correlation import Correlation
from stratune.evaluate.intervals import Interval, bootstrap, intervals
from stratune.evaluate.paired import Difference
from stratune.evaluate.replicates import Replicates

FARTHEST = 7.0  # quantile: p is never below 2.6e-12, nearer to 0 than what an interval's level can say
EXACT = 1e-4  # of the quantile: p is right to 0.00002 where it decides
FEWEST = 2  # rows, or groups, of which an interval can be had


def estimate(found: Replicates, metric: str, level: float = 0.95) -> Interval | None:
    """None where the metric is undefined, or all rows are of one group."""
    if found.units < FEWEST:
        return None
    return intervals(found.only([metric]), level=level).get(metric)


def difference(inside: Replicates, outside: Replicates, metric: str) -> Difference | None:
    """Of a slice less all other rows; replicate r of both is of one resample. None: one has no interval."""
    if estimate(inside, metric) is None or estimate(outside, metric) is None:
        return None
    together = _together(inside, outside, metric)

    def ends(p: float) -> tuple[float, float]:
        one, other = (estimate(side, metric, 1 - p) for side in (inside, outside))
        assert one is not None and other is not None
        value = one.value - other.value
        down = _reach(one.value - one.low, other.high - other.value, together)
        up = _reach(one.high - one.value, other.value - other.low, together)
        return value - down, value + up

    value = inside.value(metric) - outside.value(metric)
    low, high = ends(0.05)
    return Difference(value, low, high, _p(value, ends))


def _reach(one: float, other: float, together: float) -> float:
    return sqrt(max(one**2 + other**2 - 2 * together * one * other, 0.0))


def _together(inside: Replicates, outside: Replicates, metric: str) -> float:
    """The correlation of the two sides' replicates; single rows and one seed leave them independent."""
    if not inside.grouped and len(inside.points[metric]) == 1:
        return 0.0
    drawn = np.stack([inside.over_seeds(metric), outside.over_seeds(metric)])
    drawn = drawn[:, ~np.isnan(drawn).any(axis=0)]
    if drawn.shape[1] < 2 or not (drawn.max(axis=1) > drawn.min(axis=1)).all():
        return 0.0
    return float(np.asarray(np.corrcoef(drawn))[0, 1])


def _p(value: float, ends: Callable[[float], tuple[float, float]]) -> float:
    """The p at which the end on zero's side is at zero, sought on the scale of its normal quantile."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def beyond(quantile: float) -> float:
        """How far that end still is from zero."""
        low, high = ends(2 * float(ndtr(-quantile))) if quantile else (value, value)
        return low if value > 0 else -high

    if value == 0:
        return 1.0
    if beyond(FARTHEST) >= 0:
        return 2 * float(ndtr(-FARTHEST))
    return 2 * float(ndtr(-brentq(beyond, 0.0, FARTHEST, xtol=EXACT)))


def rank_correlation(
    quantities: Floats, other: Floats, *, groups: npt.NDArray[Any] | None, resamples: int
) -> Interval | None:
    """Spearman's, of S seeds' quantities (S, N) with another one (N,). None where one has a single value."""
    scorers = [_Spearman(Correlation(one, other)) for one in quantities]
    return bootstrap(scorers, len(other), groups=groups, resamples=resamples).get("spearman")


class _Spearman:
    def __init__(self, pair: Correlation) -> None:
        self.pair = pair

    def values(self, weights: Floats) -> dict[str, Floats]:
        return {"spearman": self.pair.values(weights, weights.sum(axis=0)).spearman}
