"""Scores of a multilabel task: any number of labels for each row.

- A label is predicted where its probability is at least 0.5, unless it was decided otherwise: a threshold of
  its own moves predictions and no probability. Log loss, the areas, ECE and Brier see probabilities alone.
- Micro means add up the counts of all labels first; 0/0 is 0.0. Macro means are over the labels that are true
  or predicted somewhere (labels.py).
- `map` and `roc_auc` leave out a label that no row, or every row, has; without any left they are undefined.
- An invalid row predicts no label, and its set is wrong even where the truth has none; it ranks last for the
  labels it has and first for the others, and gives the truth probability 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Flags, Floats, Integers, Predictions, finite, flags, negative_log
from stratune.evaluate.calibration import ConfidenceBins
from stratune.evaluate.labels import (
    area_proportions,
    by_label,
    families,
    macro,
    macro_means,
    mean_areas,
    proportions,
    ranked_rows,
)
from stratune.evaluate.ranking import Ranking, rank
from stratune.evaluate.scoring import Tally

THRESHOLD = 0.5


def decided(
    probabilities: Predictions, invalid: Flags | None = None, thresholds: Sequence[float] = ()
) -> npt.NDArray[np.bool_]:
    """Probabilities (N, K) -> which labels are predicted (N, K); none of an invalid row."""
    least = np.asarray(thresholds) if len(thresholds) else THRESHOLD
    chosen: npt.NDArray[np.bool_] = probabilities >= least  # NaN is not
    return chosen if invalid is None else chosen & ~invalid[:, None]


class LabelSetScorer:
    """Truth (N, K): zeros and ones; probabilities (N, K) of each label by itself.

    Raises TrainingError when a probability is not a finite number: such a run has no score.
    """

    def __init__(
        self,
        truth: Integers,
        probabilities: Predictions,
        labels: Sequence[str],
        *,
        invalid: Flags | None = None,
        decided: Flags | None = None,
    ) -> None:
        """`decided` (N, K): the labels of each row, where other thresholds than one half decide."""
        self.truth = np.asarray(truth).astype(bool)
        self.labels = tuple(labels)
        self.invalid = flags(invalid, len(self.truth))
        expected = (len(self.truth), len(self.labels))
        if not self.truth.shape == probabilities.shape == expected or not self.truth.size:
            shapes = f"truth is {self.truth.shape} and probabilities are {probabilities.shape}"
            raise ValueError(f"{shapes}, not (rows, labels) = {expected}")
        self.probabilities = finite(probabilities, self.invalid, "probability")
        chosen = self.probabilities >= THRESHOLD if decided is None else np.asarray(decided, dtype=bool)
        self.decided = chosen & ~self.invalid[:, None]

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); NaN where a weighting leaves it undefined."""
        total = weights.sum(axis=0)
        roc, precision = mean_areas(self._rankings, weights, total)
        same, wrong, losses, squares = (self._rowwise @ weights) / total
        return {
            **self._matches(weights),
            "roc_auc": roc,
            "map": precision,
            "subset_accuracy": same,
            "hamming": wrong,
            "log_loss": losses,
            "brier": squares,
            "ece": np.mean([bins(weights, total) for bins in self._bins], axis=0),
        }

    @property
    def answers(self) -> Floats:
        """(N, K); of an invalid row every label is wrong."""
        return np.where(self.invalid[:, None], 1.0 - self.truth, self.probabilities)

    def _matches(self, weights: Floats) -> dict[str, Floats]:
        """Precision, recall and F1 from how often each label was true, predicted, and both."""
        counts = (self._adder @ weights).reshape(3, len(self.labels), -1)
        values: dict[str, Floats] = {}
        micro = families(*counts.sum(axis=1))
        for family, each in families(*counts).items():
            values[f"{family}_micro"] = micro[family]
            values[f"{family}_macro"] = macro(each, counts[1], counts[2])
            values |= by_label(family, each, self.labels)
        return values

    def tally(self) -> Tally:
        """Rows count where the whole set is right or wrong; micro means count labels of rows."""
        rows = len(self.truth)
        counts = (self._adder @ np.ones(rows)).reshape(3, -1)
        each, areas = proportions(*counts), area_proportions(self._rankings, rows)
        hit, predictions, true = map(float, counts.sum(axis=1))
        return Tally(
            shares={"subset_accuracy": float(rows)},
            like={
                "precision_micro": predictions,
                "recall_micro": true,
                "f1_micro": predictions + true - hit,
                "hamming": float(self.truth.size),
                "map": ranked_rows(*areas),
            },
            means={**macro_means(each, *counts[1:]), "roc_auc": areas},
            families=each,
            labels=self.labels,
        )

    @cached_property
    def _adder(self) -> Any:
        """Sparse (3K, N): adds a weighting up by label, for hits, predictions and truths."""
        from scipy.sparse import csr_array

        cells = [self.decided & self.truth, self.decided, self.truth]
        return csr_array(np.concatenate(cells, axis=1).T.astype(np.float64))

    @cached_property
    def _rowwise(self) -> Floats:
        """(4, N): 1 where the set is right; share of labels that are wrong; means over labels of the log loss
        and of the squared distance of the probability from the truth.
        """
        wrong = self.decided != self.truth
        squares = ((self.answers - self.truth) ** 2).mean(axis=1)
        given = np.where(self.truth, self.probabilities, 1 - self.probabilities)
        losses = negative_log(np.where(self.invalid[:, None], 0.0, given)).mean(axis=1)
        return np.stack([~wrong.any(axis=1) & ~self.invalid, wrong.mean(axis=1), losses, squares])

    @cached_property
    def _bins(self) -> list[ConfidenceBins]:
        return [ConfidenceBins(self.answers[:, k], self.truth[:, k]) for k in range(len(self.labels))]

    @cached_property
    def _rankings(self) -> list[Ranking]:
        farthest = np.where(self.truth, -np.inf, np.inf)
        scores = np.where(self.invalid[:, None], farthest, self.probabilities)
        return [rank(self.truth[:, k], scores[:, k]) for k in range(len(self.labels))]
