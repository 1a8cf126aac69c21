"""Scores of a regression: a number for each row, in the user's units.

R² and the correlations are undefined where nothing spreads: R² where the truth has one value, a correlation
where truth or prediction has one. An invalid row (an answer that is no number) counts as if the mean of the
truth over the rows scored had been the answer: as good as knowing the mean and nothing of the text. The mean
is that of the rows as they are, the same for every weighting.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from stratune.evaluate.arrays import Flags, Floats, Predictions, finite, flags, ratio
from stratune.evaluate.correlation import Correlation


class ValueScorer:
    """Truth (N,) and predicted values (N, 1). Raises TrainingError when one is not a finite number."""

    def __init__(self, truth: Floats, predictions: Predictions, *, invalid: Flags | None = None) -> None:
        self.truth = np.asarray(truth, dtype=np.float64)
        unanswered = flags(invalid, len(self.truth))
        if predictions.shape != (len(self.truth), 1) or not len(self.truth):
            raise ValueError(f"predictions are {predictions.shape}, not (rows, 1) = {(len(self.truth), 1)}")
        finite(self.truth[:, None], np.zeros_like(unanswered), "true value")
        values = finite(predictions, unanswered, "predicted value")[:, 0]
        self.predictions = np.where(unanswered, self.truth.mean(), values)

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); NaN where a weighting leaves it undefined."""
        total = weights.sum(axis=0)
        absolute, squared = self._errors @ weights
        correlated = self._correlation.values(weights, total)
        return {
            "mae": absolute / total,
            "rmse": np.sqrt(squared / total),
            "r2": 1.0 - ratio(squared, correlated.spread),
            "pearson": correlated.pearson,
            "spearman": correlated.spearman,
        }

    @property
    def answers(self) -> Floats:
        """(N, 1); of an invalid row the mean of the truth."""
        return self.predictions[:, None]

    @cached_property
    def _errors(self) -> Floats:
        """(2, N): absolute and squared."""
        error = self.predictions - self.truth
        return np.stack([abs(error), error**2])

    @cached_property
    def _correlation(self) -> Correlation:
        return Correlation(self.truth, self.predictions)
