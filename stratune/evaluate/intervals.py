"""Intervals that cover: 95 of 100 intervals hold the value that all rows, and all seeds, would give.

Rows: a proportion has Wilson's interval, a mean of proportions MOVER over theirs (proportions.py); an error
or a correlation has Student's t on the scale where its replicates are nearly normal, and a metric of
somebody's own has BCa (scales.py). Replicates (replicates.py) give the variance: whole groups are drawn, so
it is that of groups, and t has as many degrees as there are groups less one.

Seeds: the mean over S seeds is off by t * s / sqrt(S), with s their standard deviation and S - 1 degrees.
Rows and seeds are independent, so their distances from the value are added squared (MOVER: Zou and Donner
2008). With one seed the interval is of the rows alone. docs/statistics.md has the measured coverage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.proportions import AREA, Proportions
from stratune.evaluate.replicates import RESAMPLES, Replicates, replicates
from stratune.evaluate.scales import CORRELATIONS, SHARES, bca, scale_of, student
from stratune.evaluate.scoring import Scorer, Tally

ENOUGH = 5  # trials of every label, for the bias of their mean to be known from its replicates
STEADY = 0.5  # the same of one ROC-AUC, whose replicates hardly differ near 1
FEWEST = 0.25  # the variance of replicates counts as at least this part of that of independent trials

Ends = tuple[float, float]


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
    return intervals(replicates(scorers, rows, groups=groups, resamples=resamples, seed=seed), level=level)


def intervals(found: Replicates, *, level: float = 0.95) -> dict[str, Interval]:
    """Every metric that is defined, with its interval."""
    rows = _Rows(found, level)
    ends = dict(rows.ends())
    return {
        name: _with_seeds(points, ends[name], rows.bounds(name), level)
        for name, points in found.points.items()
        if not np.isnan(points).any()
    }


def _with_seeds(points: Floats, ends: Ends, bounds: Ends, level: float) -> Interval:
    """The interval of the rows, and what S seeds, whose values are `points` (S,), add to both sides."""
    value, (low, high) = float(points.mean()), ends
    seeds = len(points)
    if seeds > 1:
        reach = float(student(1 - level, seeds - 1)) * float(points.std(ddof=1)) / np.sqrt(seeds)
        low = max(value - float(np.hypot(value - low, reach)), bounds[0])
        high = min(value + float(np.hypot(high - value, reach)), bounds[1])
    return Interval(value, min(low, value), max(high, value))


class _Rows:
    """Ends of every metric's interval over rows (or groups) alone."""

    def __init__(self, found: Replicates, level: float) -> None:
        from scipy.special import ndtri

        self.found, self.level = found, level
        self.student = float(student(1 - level, found.units - 1))
        self.quantile = self.student if found.grouped else float(ndtri((1 + level) / 2))
        self.independent = not found.grouped and len(next(iter(found.points.values()))) == 1
        self.lowest = 1.0 if found.grouped else FEWEST  # rows of a group are alike, hardly ever the opposite
        self.tally = averaged(found.tallies)

    def ends(self) -> Iterator[tuple[str, Ends]]:
        counted = dict(self._counted(self.tally)) if self.tally is not None else {}
        for name in self.found.points:
            yield name, counted[name] if name in counted else self._other(name)

    def _counted(self, tally: Tally) -> Iterator[tuple[str, Ends]]:
        for name, (each, weights) in tally.means.items():
            if name in self.found.points:
                yield name, self._mean(name, each, weights)
        for name, trials in (*tally.shares.items(), *tally.like.items()):
            if name in self.found.points:
                yield name, self._share(name, trials, name in tally.shares)
        for family, each in tally.families.items():
            names = [f"{family}[{label}]" for label in tally.labels]
            if names[0] in self.found.points:
                yield from self._by_label(names, each)

    def _mean(self, name: str, each: Proportions, weights: Floats) -> Ends:
        if self.independent and np.count_nonzero(weights) == 1:
            return self._alone(name, each, int(weights.argmax()))
        value, spread = self.found.value(name), self.variance(name)
        low, high = each.mean_ends(value, weights, spread, self.lowest, self.quantile)
        # of a label with fewer trials many replicates have no row: what they are off by is not the bias of F1
        known = each.trials[..., weights > 0].min(initial=np.inf) >= ENOUGH
        bias = self.bias(name) if known else 0.0
        return max(low - bias, 0.0), min(high - bias, 1.0)

    def _alone(self, name: str, each: Proportions, position: int) -> Ends:
        """One proportion of independent rows; near 1 an area varies less than Hanley and McNeil have it."""
        ratio = 1.0
        if each.form is AREA and (expected := float(each.variance()[position])) > 0:
            ratio = max(self.variance(name) / expected, STEADY)
        low, high = each.ends(ratio, self.quantile)
        return float(low[position]), float(high[position])

    def _share(self, name: str, trials: float, by_row: bool) -> Ends:
        value = self.found.value(name)
        one = Proportions(np.array([value]), np.array([trials]))
        if by_row and self.independent:
            low, high = one.ends(1.0, self.quantile)
            return float(low[0]), float(high[0])
        return one.mean_ends(value, np.ones(1), self.variance(name), self.lowest, self.quantile)

    def _by_label(self, names: Sequence[str], each: Proportions) -> Iterator[tuple[str, Ends]]:
        ratio = np.ones(len(names))
        if not self.independent:
            spread, expected = np.array([self.variance(name) for name in names]), each.variance()
            known = expected > 0
            ratio[known] = np.maximum(spread[known] / expected[known], self.lowest)
        for name, low, high in zip(names, *each.ends(ratio, self.quantile), strict=True):
            yield name, (float(low), float(high))

    def _other(self, name: str) -> Ends:
        """A metric that nobody has counted the trials of."""
        value, spread = self.found.value(name), self.variance(name)
        if np.isnan(value):
            return value, value
        if name in SHARES:
            return self._share(name, self.found.units, by_row=False)
        scale = scale_of(name)
        if scale is None:
            return self._unknown(name, value)
        if scale.has(value):
            return scale.ends(value, float(np.sqrt(spread)), self.student)
        return self._at_the_end(name, value)

    def _at_the_end(self, name: str, value: float) -> Ends:
        """Nothing was wrong, so no replicate differs, and yet another row may be wrong."""
        if name.partition("[")[0] in CORRELATIONS:  # between -1 and 1: as if right and wrong had been counted
            counted = np.clip([(1 + value) / 2], 0.0, 1.0)  # icc1 of few ratings a row can be below -1
            low, high = Proportions(counted, np.array([float(self.found.units)])).ends(1.0, self.quantile)
            return min(value, 2 * float(low[0]) - 1), max(value, 2 * float(high[0]) - 1)
        if name == "mae_levels" and self.tally is not None:  # most mistakes are by one level
            return 0.0, 1 - self._share("accuracy", self.tally.shares["accuracy"], by_row=True)[0]
        return value, value

    def _unknown(self, name: str, value: float) -> Ends:
        drawn = self.found.drawn[name].mean(axis=0)
        drawn = drawn[~np.isnan(drawn)]
        return (
            bca(value, drawn, self.found.skewed.get(name, 0.0), self.level) if len(drawn) else (value, value)
        )

    def bounds(self, name: str) -> Ends:
        """Between which values a metric lies."""
        if (scale := scale_of(name)) is not None:
            return scale.least, scale.most
        return (-np.inf, np.inf) if name in self.found.skewed else (0.0, 1.0)

    def bias(self, name: str) -> float:
        """By how much replicates lie above the value: by as much it lies above the truth (Efron 1979)."""
        drawn = self.found.drawn[name]
        known = drawn[:, ~np.isnan(drawn).any(axis=0)]
        return float(known.mean()) - self.found.value(name) if known.size else 0.0

    def variance(self, name: str) -> float:
        """Of the mean over seeds, as far as the seeds share it: what they do not is theirs (`_with_seeds`).

        Replicates spread by (G - 1) / G too little, which matters with few groups.
        """
        drawn = self.found.drawn[name]
        drawn = drawn[:, ~np.isnan(drawn).any(axis=0)]
        seeds, units = len(drawn), self.found.units
        if drawn.shape[1] < 2 or units < 2:
            return 0.0
        spread = float(drawn.mean(axis=0).var(ddof=1))
        if seeds > 1:
            own = float(drawn.var(axis=1, ddof=1).sum())
            spread = max((seeds**2 * spread - own) / (seeds * (seeds - 1)), 0.0)
        return spread * units / (units - 1)


def averaged(tallies: Sequence[Tally]) -> Tally | None:
    """The mean over seeds; None where there is none."""
    if not tallies:
        return None
    first, others = tallies[0], tallies[1:]
    return Tally(
        {name: float(np.mean([one.shares[name] for one in tallies])) for name in first.shares},
        {name: float(np.mean([one.like[name] for one in tallies])) for name in first.like},
        {
            name: (
                each.averaged([one.means[name][0] for one in others]),
                np.mean([one.means[name][1] for one in tallies], axis=0),
            )
            for name, (each, _) in first.means.items()
        },
        {
            family: each.averaged([one.families[family] for one in others])
            for family, each in first.families.items()
        },
        first.labels,
    )


def interval_of(value: float, replicates: Floats, level: float = 0.95) -> Interval:
    """The middle of replicates (R,) around a value; those that are NaN are left out."""
    kept = replicates[~np.isnan(replicates)]
    if not len(kept):
        return Interval(value, value, value)
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
