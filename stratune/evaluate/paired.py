"""The difference of two strategies that were measured on the same rows, with its interval and p value.

Two intervals that overlap say nothing of a difference: the rows are the same, so most of what moves the one
moves the other. Here the difference itself is resampled (paired bootstrap), and its spread has two parts,

- rows, or whole groups of them: the variance of the replicates, with one pair of made-up units that differ by
  as much as any, one for either side (Bonett & Price 2012 do so for two proportions), lest few rows that
  differ, or none, make an interval of no width;
- seeds, where there are several: the variances of the two strategies over their seeds (Welch 1947).

The interval has Student's quantile for each part, with the degrees of freedom of that part, and adds their
squares (Zou & Donner 2008). The p value of accuracy on single rows, with one seed, is McNemar's exact one,
mid-p (Fagerland et al. 2013); of any other metric it is that of turning the signs of the units' differences
at random (pseudo-values: jackknife.py), or the p at which the interval's end is at zero, whichever is larger:
of few groups, signs alone would call a difference clear whose interval holds zero. With several seeds it is
the latter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.jackknife import pseudo_values, units_of
from stratune.evaluate.replicates import Replicates
from stratune.evaluate.scales import student
from stratune.evaluate.scoring import Scorer

FLIPS = 20_000
_BLOCK = 2000  # of them at a time
_COUNTED = ("accuracy", "subset_accuracy")  # a row is right or wrong


@dataclass(frozen=True)
class Measured:
    """One strategy on the rows of a part: what its differences from others are computed from."""

    seeds: tuple[int, ...]
    replicates: Replicates
    pseudo: dict[str, Floats]  # metric -> (S, U)
    single: bool  # whether a unit is one row

    def at(self, metric: str, seeds: Sequence[int]) -> tuple[Floats, Floats, Floats]:
        """Points (S,), replicates (S, R) and pseudo-values (S, U) of these seeds; one seed stands for all."""
        which = [0] * len(seeds) if len(self.seeds) == 1 else [self.seeds.index(seed) for seed in seeds]
        found = self.replicates.points[metric], self.replicates.drawn[metric], self.pseudo[metric]
        return found[0][which], found[1][which], found[2][which]


@dataclass(frozen=True)
class Difference:
    """Of the first less the second, in the metric's units."""

    difference: float
    low: float
    high: float
    p: float

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def measured(
    scorers: Sequence[Scorer],
    seeds: Sequence[int],
    replicates: Replicates,
    metrics: Sequence[str],
    rows: int,
    groups: npt.NDArray[Any] | None = None,
) -> Measured:
    """Of S scorers, one a seed, on N `rows`; `metrics` that are undefined for one of them are left out."""
    names = [name for name in metrics if name in replicates.points]
    names = [name for name in names if not np.isnan(replicates.points[name]).any()]
    units = units_of(rows, groups)
    single = groups is None and int(units.max()) + 1 == rows
    return Measured(tuple(seeds), replicates.only(names), pseudo_values(scorers, names, units), single)


def differences(
    pairs: Sequence[tuple[Measured, Measured]], metric: str, *, level: float = 0.95
) -> list[Difference | None]:
    """Of each pair; None where the metric is undefined for one of the two, or they share no seed."""
    found: list[Difference | None] = [None] * len(pairs)
    there = [
        i for i, (a, b) in enumerate(pairs) if metric in a.pseudo and metric in b.pseudo and _shared(a, b)
    ]
    spreads = [_spread(*pairs[i], metric) for i in there]
    if not there:
        return found
    p = _student_p(spreads)
    one_seed = [k for k, spread in enumerate(spreads) if spread.seeds == 1]
    flipped = dict(zip(one_seed, sign_flips([spreads[k].units for k in one_seed]), strict=True))
    for k, (i, spread) in enumerate(zip(there, spreads, strict=True)):
        units = spread.units
        if k in flipped and metric in _COUNTED and pairs[i][0].single:
            p_value = mcnemar(int((units > 0.5).sum()), int((units < -0.5).sum()))
        else:
            p_value = max(float(p[k]), flipped.get(k, 0.0))
        reach = float(_reach(np.array([(1 - level)]), [spread])[0])
        found[i] = Difference(spread.value, spread.value - reach, spread.value + reach, p_value)
    return found


def _shared(a: Measured, b: Measured) -> list[int]:
    """The seeds that both have; one that has a single seed has nothing random, or no more was asked for."""
    if len(a.seeds) == 1 or len(b.seeds) == 1:
        return list(a.seeds if len(a.seeds) > 1 else b.seeds)
    return [seed for seed in a.seeds if seed in b.seeds]


@dataclass(frozen=True)
class _Spread:
    """A difference, what its units differ by (U,), and the two parts of its variance."""

    value: float
    units: Floats
    of_rows: float
    of_seeds: float
    freedom: float  # of the second part
    seeds: int


def _spread(a: Measured, b: Measured, metric: str) -> _Spread:
    seeds = _shared(a, b)
    sides = [one.at(metric, seeds) for one in (a, b)]
    points, drawn, pseudo = (first - second for first, second in zip(*sides, strict=True))
    units = np.where(np.isnan(pseudo), 0.0, pseudo).mean(axis=0)
    count, farthest = len(units), float(np.abs(units).max())
    kept = drawn[:, ~np.isnan(drawn).any(axis=0)].mean(axis=0)
    of_rows = float(kept.var()) if len(kept) else float(units.var()) / count
    of_rows = of_rows * count / max(count - 1, 1) + 2 * farthest**2 / (count + 2) ** 2
    of_seeds, freedom = _welch([side[0] for side in sides])
    return _Spread(float(points.mean()), units, of_rows, of_seeds, freedom, len(seeds))


def _welch(points: Sequence[Floats]) -> tuple[float, float]:
    """Values (S,) of two strategies -> the variance of the difference of their means, degrees of freedom."""
    seeds = len(points[0])
    parts = [float(one.var(ddof=1)) / seeds for one in points] if seeds > 1 else [0.0, 0.0]
    total = sum(parts)
    return total, (seeds - 1) * total**2 / sum(part**2 for part in parts) if total else 1.0


def _reach(p: Floats, spreads: Sequence[_Spread]) -> Floats:
    """(P,) how far an interval that leaves out `p` (P,) goes to either side."""
    rows = student(p, [len(spread.units) - 1 for spread in spreads])
    seeds = student(p, [spread.freedom for spread in spreads])
    of_rows = np.array([spread.of_rows for spread in spreads])
    of_seeds = np.array([spread.of_seeds for spread in spreads])
    return np.asarray(np.sqrt(rows**2 * of_rows + seeds**2 * of_seeds))


def _student_p(spreads: Sequence[_Spread]) -> Floats:
    """(P,) the p at which an interval's end is 0: found by halving, on a scale of logarithms."""
    away = np.abs([spread.value for spread in spreads])
    low, high = np.full(len(spreads), -300.0), np.zeros(len(spreads))
    for _ in range(60):
        middle = (low + high) / 2
        inside = _reach(np.exp(middle), spreads) >= away
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.exp((low + high) / 2)


def mcnemar(first: int, second: int) -> float:
    """Exact mid-p of rows that only the first, and only the second got right."""
    from scipy.special import bdtr, gammaln

    rows = first + second
    if not rows:
        return 1.0
    ways = gammaln(rows + 1) - gammaln(first + 1) - gammaln(second + 1)  # logarithms
    seen = float(np.exp(ways - rows * np.log(2)))
    if first == second:
        return 1 - seen / 2
    return 2 * float(bdtr(min(first, second), rows, 0.5)) - seen


def sign_flips(units: Sequence[Floats], *, flips: int = FLIPS, seed: int = 0) -> list[float]:
    """Differences (U,) of each of P pairs -> p values, two-sided: how often random signs go as far."""
    if not units:
        return []
    stacked = np.stack(units)  # (P, U)
    draws = np.random.default_rng(seed)
    seen = np.abs(stacked.sum(axis=1)) * (1 - 1e-9)  # sums of the same terms in another order
    reached = np.zeros(len(stacked))
    for start in range(0, flips, _BLOCK):
        signs = draws.integers(0, 2, size=(stacked.shape[1], min(_BLOCK, flips - start))) * 2.0 - 1.0
        reached += (np.abs(stacked @ signs) >= seen[:, None]).sum(axis=1)
    return [float(p) for p in (1 + reached) / (1 + flips)]
