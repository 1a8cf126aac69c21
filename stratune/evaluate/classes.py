"""Scores of classification: one label of several for each row.

- The prediction is the most probable label, the first of equals, unless it was decided otherwise: a threshold
  moves predictions and no probability. Log loss, the areas, ECE and Brier see probabilities alone.
- Macro means are over the labels that are true or predicted somewhere (labels.py).
- ROC-AUC and PR-AUC leave a label out of their macro mean when no row, or every row, has it; when no label
  is left, the metric is undefined.
- An invalid row (a generated answer that is no label) is wrong everywhere: it predicts no label, ranks last
  for its own label and first for the others, and gives the truth probability 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Flags, Floats, Integers, Predictions, finite, flags, negative_log, share
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
from stratune.evaluate.selective import RiskCoverage


def predicted(probabilities: Predictions, invalid: Flags | None = None) -> npt.NDArray[np.intp]:
    """Label index per row (N,); K, which is no label, for an invalid row."""
    best: npt.NDArray[np.intp] = probabilities.argmax(axis=1)
    return best if invalid is None else np.where(invalid, probabilities.shape[1], best)


def confusion(
    truth: Integers, probabilities: Predictions, *, invalid: Flags | None = None
) -> npt.NDArray[np.int64]:
    """Counts (K, K + 1): truth down, prediction across; the last column counts invalid answers."""
    label_count = probabilities.shape[1]
    cell = truth * (label_count + 1) + predicted(probabilities, invalid)
    counts = np.bincount(cell, minlength=label_count * (label_count + 1))
    return counts.reshape(label_count, label_count + 1).astype(np.int64)


class ClassScorer:
    """Truth (N,): label indices; probabilities (N, K); sorted and counted once for all weightings.

    Raises TrainingError when a probability is not a finite number: such a run has no score.
    """

    def __init__(
        self,
        truth: Integers,
        probabilities: Predictions,
        labels: Sequence[str],
        *,
        invalid: Flags | None = None,
        decided: Integers | None = None,
    ) -> None:
        """`decided` (N,): label indices, where something else than the highest probability decides."""
        self.truth = np.asarray(truth, dtype=np.intp)
        self.labels = tuple(labels)
        self.invalid = flags(invalid, len(self.truth))
        expected = (len(self.truth), len(self.labels))
        if probabilities.shape != expected or not len(self.truth):
            raise ValueError(f"probabilities are {probabilities.shape}, not (rows, labels) = {expected}")
        self.probabilities = finite(probabilities, self.invalid, "probability")
        best = predicted(self.probabilities) if decided is None else np.asarray(decided, dtype=np.intp)
        self.decided = np.where(self.invalid, len(self.labels), best)

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); NaN where a weighting leaves it undefined."""
        total = weights.sum(axis=0)
        roc, precision = mean_areas(self._rankings, weights, total)
        return {
            **self._matches(weights, total),
            "roc_auc": roc,
            "pr_auc": precision,
            "log_loss": (self._losses @ weights) / total,
            "brier": (self._squares @ weights) / total,
            "ece": self._bins(weights, total),
            "aurc": self._risks(weights, total),
        }

    @property
    def answers(self) -> Floats:
        """(N, K); of an invalid row the truth has probability 0, and the other labels have equal shares."""
        wrong = np.arange(len(self.labels)) != self.truth[:, None]
        return np.where(self.invalid[:, None], wrong / (len(self.labels) - 1), self.probabilities)

    def _matches(self, weights: Floats, total: Floats) -> dict[str, Floats]:
        """The metrics that only need, per label, how often it was true, predicted, and both."""
        hit, predictions, true = (self._adder @ weights).reshape(3, len(self.labels), -1)
        values = {"accuracy": hit.sum(axis=0) / total}
        for family, each in families(hit, predictions, true).items():
            values[f"{family}_macro"] = macro(each, predictions, true)
            values[f"{family}_weighted"] = (each * true).sum(axis=0) / total
            values |= by_label(family, each, self.labels)
        values["mcc"] = _mcc(hit, predictions, true, total)
        return values

    def tally(self) -> Tally:
        """Accuracy, and what equals it, counts rows; F1, precision and recall count them by label."""
        rows = len(self.truth)
        hit, predictions, true = (self._adder @ np.ones(rows)).reshape(3, -1)
        each, areas = proportions(hit, predictions, true), area_proportions(self._rankings, rows)
        return Tally(
            shares=dict.fromkeys(("accuracy", "recall_weighted"), float(rows)),
            like={
                **dict.fromkeys(("f1_weighted", "precision_weighted"), float(rows)),
                "pr_auc": ranked_rows(*areas),
            },
            means={**macro_means(each, predictions, true), "roc_auc": areas},
            families=each,
            labels=self.labels,
        )

    @cached_property
    def _adder(self) -> Any:
        """Sparse (3K, N): adds a weighting up by label, for hits, predictions and truths."""
        from scipy.sparse import csr_array

        count, rows = len(self.labels), np.arange(len(self.truth))
        predictions = self.decided
        hit, valid = predictions == self.truth, ~self.invalid
        cells = np.concatenate([self.truth[hit], count + predictions[valid], 2 * count + self.truth])
        columns = np.concatenate([rows[hit], rows[valid], rows])
        return csr_array((np.ones(len(cells)), (cells, columns)), shape=(3 * count, len(rows)))

    @cached_property
    def _rankings(self) -> list[Ranking]:
        """One per label; of two labels only the second, as is the custom."""
        wanted = [1] if len(self.labels) == 2 else range(len(self.labels))
        return [rank(self.truth == label, self._ranked(label)) for label in wanted]

    def _ranked(self, label: int) -> Floats:
        scores = self.probabilities[:, label]
        return np.where(self.invalid, np.where(self.truth == label, -np.inf, np.inf), scores)

    @cached_property
    def _bins(self) -> ConfidenceBins:
        top = self.answers.argmax(axis=1)
        return ConfidenceBins(self.answers.max(axis=1), top == self.truth)

    @cached_property
    def _risks(self) -> RiskCoverage:
        """Of the answers as decided, by the probability of what was answered; invalid ones come last."""
        given = np.append(self.probabilities, np.zeros((len(self.truth), 1)), axis=1)
        confidence = np.where(self.invalid, -np.inf, given[np.arange(len(self.truth)), self.decided])
        return RiskCoverage(confidence, self.decided != self.truth)

    @cached_property
    def _squares(self) -> Floats:
        """Squared distance of the probabilities from the truth (N,); of two labels half of it."""
        wanted = np.arange(len(self.labels)) == self.truth[:, None]
        squares = ((self.answers - wanted) ** 2).sum(axis=1)
        return np.asarray(squares / 2 if len(self.labels) == 2 else squares)

    @cached_property
    def _losses(self) -> Floats:
        """Negative log probability of the truth (N,)."""
        given = self.probabilities[np.arange(len(self.truth)), self.truth]
        return negative_log(np.where(self.invalid, 0.0, given))


def _mcc(hit: Floats, predictions: Floats, true: Floats, total: Floats) -> Floats:
    """Gorodkin's K-label form; arguments (K, R) and (R,). Invalid answers are one more predicted column."""
    unsaid = total - predictions.sum(axis=0)
    together = hit.sum(axis=0) * total - (predictions * true).sum(axis=0)
    spread_said = total**2 - (predictions**2).sum(axis=0) - unsaid**2
    spread_true = total**2 - (true**2).sum(axis=0)
    return share(together, np.sqrt(spread_said * spread_true))
