"""One answer against another, many times over: the measures that say how well two of them agree.

A pair is an answer (a rater's, a model's) to a row and the one it is compared with. A row may have several
pairs, which share its weight: where raters are nobody in particular, each of a row's m ratings is held
against the others with weight 1/m. That is what drawing one rating of each row at random comes to in the mean
of many draws, without the draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats, ratio, share
from stratune.evaluate.scoring import Scorer
from stratune.evaluate.values import ValueScorer

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Pairs:
    """P pairs, all (P,). `part` is the share of its row's weight; a row's shares add up to 1."""

    row: npt.NDArray[np.intp]
    predictions: Floats
    against: Floats
    part: Floats

    def merged(self) -> Pairs:
        """The same, equal pairs as one: five levels and ten raters leave three of ten."""
        keys = np.stack([self.row.astype(np.float64), self.predictions, self.against])
        (row, predictions, against), place = np.unique(keys, axis=1, return_inverse=True)
        part: Floats = np.bincount(place.ravel(), self.part, minlength=len(row)).astype(np.float64)
        return Pairs(row.astype(np.intp), predictions, against, part)

    def weights(self, weights: Floats) -> Floats:
        """Weightings of rows (N, R) -> of pairs (P, R)."""
        spread: Floats = weights[self.row]
        spread *= self.part[:, None]
        return spread


class ValuePairs:
    """Numbers: Pearson, Spearman, MAE, RMSE, and the ICC of the two (2: agreement, 3: consistency)."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs.merged()
        self.model = ValueScorer(self.pairs.against, self.pairs.predictions[:, None])

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> each measure (R,); NaN where undefined."""
        by_pair = self.pairs.weights(weights)
        found = self.model.values(by_pair)
        rows = by_pair.sum(axis=0)
        one, other, ones, others, together = self._powers @ by_pair
        spreads = ones - one**2 / rows, others - other**2 / rows  # sums of squares around the mean
        # shares such as 1/3 do not add up to the last bit, so what has one value may seem to spread a little
        known = (spreads[0] > _ROUNDING * ones) & (spreads[1] > _ROUNDING * others)
        spread, shared = spreads[0] + spreads[1], 2 * (together - one * other / rows)
        apart = (one - other) / rows + self._middles[0] - self._middles[1]
        lenient = apart**2 - (spread - shared) / (rows * np.maximum(rows - 1, 1.0))
        correlated = {
            "pearson": found["pearson"],
            "spearman": found["spearman"],
            # Shrout and Fleiss's forms for k = 2 only need variances, covariance and means
            "icc2": ratio(shared, spread + (rows - 1) * lenient),
            "icc3": ratio(shared, spread),
        }
        defined = {name: np.where(known, values, np.nan) for name, values in correlated.items()}
        return defined | {"mae": found["mae"], "rmse": found["rmse"]}

    @cached_property
    def _middles(self) -> tuple[float, float]:
        return float(np.median(self.pairs.predictions)), float(np.median(self.pairs.against))

    @cached_property
    def _powers(self) -> Floats:
        """(5, P): x, y, x², y², xy, each from its own middle: squares of large numbers would cancel."""
        x, y = self.pairs.predictions - self._middles[0], self.pairs.against - self._middles[1]
        return np.stack([x, y, x * x, y * y, x * y])


class LabelPairs:
    """Labels as positions 0 to K - 1, K where an answer is none: accuracy and Cohen's kappa; of levels also
    kappa with quadratic weights.
    """

    def __init__(self, pairs: Pairs, label_count: int, *, ordered: bool = False) -> None:
        from scipy.sparse import csr_array

        self.pairs, self.count = pairs.merged(), label_count
        cell = (self.pairs.against * (label_count + 1) + self.pairs.predictions).astype(np.intp)
        shape = (label_count * (label_count + 1), len(cell))
        self.adder: Any = csr_array((np.ones(len(cell)), (cell, np.arange(len(cell)))), shape=shape)
        unlike = {"kappa": 1.0 - np.eye(label_count, label_count + 1)}
        if ordered:
            unlike["qwk"] = _squared_levels(label_count)
        self.unlike = unlike

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> each measure (R,)."""
        counts = (self.adder @ self.pairs.weights(weights)).reshape(self.count, self.count + 1, -1)
        truth, predictions = counts.sum(axis=1), counts.sum(axis=0)  # (K, R), (K + 1, R)
        total = truth.sum(axis=0)
        found = {"accuracy": ratio(np.einsum("kkr->r", counts[:, : self.count]), total)}
        for name, unlike in self.unlike.items():
            observed = np.einsum("ij,ijr->r", unlike, counts)
            expected = np.einsum("ij,ir,jr->r", unlike, truth, predictions) / np.maximum(total, 1e-300)
            found[name] = np.where(total > 0, share(expected - observed, expected), np.nan)
        return found


class MeanOf:
    """The mean of several scorers' values: of raters one by one. What is undefined for one is left out."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        self.scorers = scorers

    def values(self, weights: Floats) -> dict[str, Floats]:
        each = [scorer.values(weights) for scorer in self.scorers]
        return {name: mean_of_known(np.stack([values[name] for values in each])) for name in each[0]}


def mean_of_known(values: Floats) -> Floats:
    """(S, R) -> (R,); NaN only where nobody has a value."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))


def _squared_levels(count: int) -> Floats:
    """(K, K + 1): squared distance in levels; no answer is as far off as an answer can be."""
    levels = np.arange(count, dtype=np.float64)
    farthest = np.maximum(levels, count - 1 - levels)[:, None]
    return np.concatenate([abs(levels[:, None] - levels), farthest], axis=1) ** 2
