"""Pearson's and Spearman's correlation of two quantities, for many weightings of the rows at once.

A weighting of whole numbers gives what the rows repeated so often would give. Ranks are exact: the average
rank of a value is the weight below it and half of its own, and all of these are multiples of a half. Where a
quantity has one value only, there is no spread and no correlation: NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats, ratio


@dataclass(frozen=True)
class Correlated:
    """All (R,). `spread` is the sum of squares of `one` around its mean; NaN where it has one value."""

    pearson: Floats
    spearman: Floats
    spread: Floats


class Correlation:
    """Two quantities of N rows, sorted once. `one`, `other` (N,)."""

    def __init__(self, one: Floats, other: Floats) -> None:
        self.one, self.other = one, other

    def values(self, weights: Floats, total: Floats) -> Correlated:
        """Row counts (N, R), their sums (R,)."""
        first, second = (quantity.ranks(weights, total) for quantity in self._sorted)
        spreads = [np.einsum("gr,gr,gr->r", counts, ranks, ranks) for ranks, counts in (first, second)]
        products = first[0][self._sorted[0].level]  # (N, R), and in place from here: fresh memory is slow
        products *= second[0][self._sorted[1].level]
        together = np.einsum("nr,nr->r", products, weights)
        some = (spreads[0] > 0) & (spreads[1] > 0)
        pearson, spread = self._moments(weights, total)
        return Correlated(
            pearson=np.where(some, pearson, np.nan),
            spearman=ratio(together, np.sqrt(spreads[0] * spreads[1])),
            spread=np.where(spreads[0] > 0, spread, np.nan),
        )

    def pearson(self, weights: Floats, total: Floats) -> Floats:
        """(R,) alone, without the ranks; of quantities that vary."""
        return self._moments(weights, total)[0]

    def _moments(self, weights: Floats, total: Floats) -> tuple[Floats, Floats]:
        """Pearson (R,), sum of squares of `one` around its mean (R,): meaningless where nothing spreads."""
        sums = self._powers @ weights  # (5, R)
        one = np.maximum(sums[2] - sums[0] ** 2 / total, 0.0)
        other = np.maximum(sums[3] - sums[1] ** 2 / total, 0.0)
        together = sums[4] - sums[0] * sums[1] / total
        pearson = np.clip(ratio(together, np.sqrt(one * other)), -1.0, 1.0)
        return pearson, one * _scale(self.one) ** 2

    @cached_property
    def _powers(self) -> Floats:
        """(5, N): x, y, x², y², xy in standard units, so that squares of large numbers do not cancel."""
        x, y = ((each - each.mean()) / _scale(each) for each in (self.one, self.other))
        return np.stack([x, y, x * x, y * y, x * y])

    @cached_property
    def _sorted(self) -> tuple[_Sorted, _Sorted]:
        return _sort(self.one), _sort(self.other)


@dataclass(frozen=True)
class _Sorted:
    """G distinct values of one quantity, lowest first."""

    level: npt.NDArray[np.intp]  # (N,): which value a row has
    adder: Any  # sparse (G, N): adds a weighting up by value

    def ranks(self, weights: Floats, total: Floats) -> tuple[Floats, Floats]:
        """Average rank of each value less the mean of all ranks (G, R); rows that have the value (G, R)."""
        counts = self.adder @ weights
        ranks = np.cumsum(counts, axis=0)
        ranks -= 0.5 * counts
        ranks -= 0.5 * total
        return ranks, counts


def _sort(quantity: Floats) -> _Sorted:
    from scipy.sparse import csr_array

    values, level = np.unique(quantity, return_inverse=True)
    rows = len(quantity)
    adder = csr_array((np.ones(rows), (level, np.arange(rows))), shape=(len(values), rows))
    return _Sorted(level, adder)


def _scale(quantity: Floats) -> float:
    return float(quantity.std()) or 1.0
