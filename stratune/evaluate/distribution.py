"""A model's probabilities against the shares of a row's raters: does it know how far people disagree?

- `cross_entropy`: -sum of share times log probability, in nats; of a model that gives the very shares it is
  their entropy, and of any other it is more.
- `jensen_shannon`: the Jensen-Shannon divergence in bits, 0 for equal distributions to 1 for disjoint ones.
- `distance`: half the sum of absolute differences, 0 to 1 (DistCE of Baan et al. 2022, "Stop Measuring
  Calibration When Humans Disagree").
- `entropy_gap`: the model's entropy less that of the shares, in nats: below zero it is surer than people are
  (EntCE there).
- `entropy_correlation`: Pearson's, of the two entropies over the rows: is it unsure where people are?
- `ece`: expected calibration error of the most probable label against the share of raters who gave it.

An invalid row gives every label of the raters probability 0, and has the distance 1.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from stratune.evaluate.arrays import Flags, Floats, finite, flags, negative_log
from stratune.evaluate.calibration import ConfidenceBins
from stratune.evaluate.correlation import Correlation

LOWER_IS_BETTER = ("cross_entropy", "jensen_shannon", "distance", "ece")
FLAT = 1e-9  # nats: entropies that differ by less are equal but for rounding
METRICS = (*LOWER_IS_BETTER[:3], "entropy_gap", "entropy_correlation", "ece")


class DistributionScorer:
    """Shares (N, K) and probabilities (N, K), whose rows sum to one. A Scorer (scoring.py).

    Raises TrainingError when a probability is not a finite number.
    """

    def __init__(self, shares: Floats, probabilities: Floats, invalid: Flags | None = None) -> None:
        self.shares = np.asarray(shares, dtype=np.float64)
        self.invalid = flags(invalid, len(self.shares))
        given = finite(probabilities, self.invalid, "probability")
        self.given = np.where(self.invalid[:, None], 0.0, given)

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); NaN where a weighting leaves it undefined."""
        total = weights.sum(axis=0)
        means = (self._rows @ weights) / total  # (4, R)
        found = dict(zip(METRICS[:4], means, strict=True))
        return {
            **found,
            "entropy_correlation": self._together(weights, total),
            "ece": self._bins(weights, total),
        }

    def _together(self, weights: Floats, total: Floats) -> Floats:
        if self._entropies is None:
            return np.full(len(total), np.nan)
        return self._entropies.pearson(weights, total)

    @cached_property
    def _entropies(self) -> Correlation | None:
        """None where one of the two is the same in every row."""
        both = entropy(self.given), entropy(self.shares)
        return None if min(np.ptp(one) for one in both) < FLAT else Correlation(*both)

    @cached_property
    def _rows(self) -> Floats:
        """(4, N) what each row adds to the means."""
        crossed = (self.shares * negative_log(self.given)).sum(axis=1)
        distance = np.abs(self.given - self.shares).sum(axis=1) / 2
        distance = np.where(self.invalid, 1.0, distance)
        diverged = np.where(self.invalid, 1.0, jensen_shannon(self.given, self.shares))
        return np.stack([crossed, diverged, distance, entropy(self.given) - entropy(self.shares)])

    @cached_property
    def _bins(self) -> ConfidenceBins:
        rows, top = np.arange(len(self.given)), self.given.argmax(axis=1)
        return ConfidenceBins(self.given[rows, top], np.where(self.invalid, 0.0, self.shares[rows, top]))


def entropy(distribution: Floats) -> Floats:
    """(N, K) -> (N,) in nats."""
    return np.asarray((distribution * negative_log(distribution)).sum(axis=1))


def jensen_shannon(first: Floats, second: Floats) -> Floats:
    """(N, K) twice -> (N,) in bits (Lin 1991)."""
    middle = (first + second) / 2
    found = entropy(middle) - (entropy(first) + entropy(second)) / 2
    return np.asarray(np.clip(found / np.log(2), 0.0, 1.0))
