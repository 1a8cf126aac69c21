"""Scores of an ordinal task: all of classification's, and some that know how far off a level is.

`labels` are in order, lowest first; levels are 0 .. K - 1. The predicted level is the most probable one, the
expected level the mean of the levels under the probabilities. An invalid row is wrong in every score of
classification, and everywhere else stands at the level farthest from the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from stratune.evaluate.arrays import Flags, Floats, Integers, Predictions, share
from stratune.evaluate.classes import ClassScorer
from stratune.evaluate.correlation import Correlation
from stratune.evaluate.scoring import Tally


class LevelScorer:
    """Truth (N,): level indices; probabilities (N, K). Raises TrainingError as ClassScorer."""

    def __init__(
        self,
        truth: Integers,
        probabilities: Predictions,
        labels: Sequence[str],
        *,
        invalid: Flags | None = None,
        decided: Integers | None = None,
    ) -> None:
        self.classes = ClassScorer(truth, probabilities, labels, invalid=invalid, decided=decided)
        top = len(labels) - 1
        self.truth = self.classes.truth
        self._farthest = np.where(self.truth * 2 < top, top, 0)

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); NaN where a weighting leaves it undefined."""
        total = weights.sum(axis=0)
        correlated = self._correlation.values(weights, total)
        return {
            **self.classes.values(weights),
            **self._distances(weights, total),
            "pearson": correlated.pearson,
            "spearman": correlated.spearman,
        }

    def tally(self) -> Tally:
        return self.classes.tally()

    @property
    def answers(self) -> Floats:
        """(N, K); an invalid row stands at the level farthest from the truth."""
        farthest = np.arange(len(self.classes.labels)) == self._farthest[:, None]
        return np.where(self.classes.invalid[:, None], farthest, self.classes.probabilities)

    def _distances(self, weights: Floats, total: Floats) -> dict[str, Floats]:
        """Mean absolute error in levels, and Cohen's kappa with quadratic weights (Cohen 1968).

        Summed over the confusion matrix, the weights (i - j)² only need sums of t, p and their squares:
        disagreement expected by chance is Σt² + Σp² - 2 Σt Σp / N. All are whole numbers, so this is exact.
        """
        off, squared_off, true, predictions, squares = self._powers @ weights
        by_chance = total * squares - 2 * true * predictions  # N times the disagreement expected
        # 0/0, one level only, is 0.0 like MCC: agreement that chance alone explains
        qwk = share(by_chance - total * squared_off, by_chance)
        return {"qwk": qwk, "mae_levels": off / total}

    @cached_property
    def _powers(self) -> Floats:
        """(5, N): |t - p|, (t - p)², t, p, t² + p², of true and predicted levels t and p."""
        true = self.truth.astype(np.float64)
        predictions = np.where(self.classes.invalid, self._farthest, self.classes.decided).astype(np.float64)
        return np.stack(
            [abs(true - predictions), (true - predictions) ** 2, true, predictions, true**2 + predictions**2]
        )

    @cached_property
    def _correlation(self) -> Correlation:
        levels = np.arange(len(self.classes.labels))
        # summed row by row, not as a matrix product: rows that are equal must tie to the last bit
        expected = (self.classes.probabilities * levels).sum(axis=1)
        invalid = self.classes.invalid
        return Correlation(self.truth.astype(np.float64), np.where(invalid, self._farthest, expected))
