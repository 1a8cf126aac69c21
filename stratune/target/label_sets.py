"""Any number of labels for each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from stratune.errors import ConfigError, UnsupportedError
from stratune.evaluate.arrays import Flags, Floats, Predictions
from stratune.evaluate.kinds import Kind, Truth
from stratune.evaluate.label_sets import THRESHOLD, LabelSetScorer, decided
from stratune.evaluate.scoring import PredictionScorer
from stratune.target.base import LEAST, Target
from stratune.target.decision import DECIDE, PLAIN, Decide, Decision, best_f1
from stratune.target.joining import Owners

if TYPE_CHECKING:
    from stratune.objective import Objective

SEPARATOR = ","  # between the labels of a cell


class LabelSets(Target):
    """Truth (N, K) int64 zeros and ones; predictions (N, K) probabilities, each label by itself.

    A cell holds names with commas between, or nothing.
    """

    kind: ClassVar[Kind] = "multilabel"
    default_metric = "f1_macro"
    plain_metrics = ("subset_accuracy",)
    losses = ("binary",)
    fewest_labels = 1
    several_labels = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if bad := [name for name in self.labels if SEPARATOR in name]:
            raise ConfigError(
                f"{bad[0]!r} holds {SEPARATOR!r}, which stands between labels", key="task.labels"
            )

    def check(self, *, annotated: bool, binned: bool) -> None:
        if annotated:
            why = "ratings are of one label or number each, not of a multilabel task"
            raise ConfigError(why, key="task.annotations")
        super().check(annotated=annotated, binned=binned)

    def members(self, cell: str) -> list[str]:
        return cell.split(SEPARATOR) if cell else []

    def truth(self, cells: Sequence[Any]) -> Truth:
        truth = np.zeros((len(cells), len(self.labels)), dtype=np.int64)
        for row, cell in enumerate(cells):
            truth[row, [self.index[name] for name in self.members(cell)]] = 1
        return truth

    def strata(self, cells: Sequence[str]) -> list[str]:
        """Of a row's labels the one that is rarest in the table."""
        counts = Counter(name for cell in cells for name in self.members(cell))
        return [min(self.members(cell), key=lambda name: (counts[name], name), default="") for cell in cells]

    def decided(
        self, predictions: Predictions, invalid: Flags | None = None, decision: Decision = PLAIN
    ) -> Flags:
        """(N, K) labels from their thresholds on, or from one half; none of an invalid row."""
        return decided(predictions, invalid, decision.thresholds)

    def named(self, decided: Flags) -> list[str]:
        names = np.asarray(self.labels)
        return [SEPARATOR.join(names[row]) for row in decided]

    def decided_of(self, cells: Sequence[Any]) -> Flags:
        return self.truth([cell if self.is_answer(cell) else "" for cell in cells]).astype(bool)

    def chosen(
        self, truth: Truth, predictions: Floats, invalid: Flags | None = None, how: Decide = DECIDE
    ) -> Decision:
        """The thresholds with the best F1 of each label (Lipton et al. 2014)."""
        how.check(self)
        there = ~np.isnan(predictions).any(axis=1)
        columns = range(len(self.labels))
        return Decision(tuple(best_f1(predictions[there, k], truth[there, k]) for k in columns))

    def to_scores(self, predictions: Floats) -> Floats:
        from scipy.special import logit

        return np.asarray(logit(np.clip(predictions, LEAST, 1.0 - LEAST)))

    def strangeness(self, truth: Truth, predictions: Floats) -> Floats:
        """Of the row's own label that is least probable; 0 of a row without labels."""
        return np.asarray(np.where(truth.astype(bool), 1.0 - predictions, 0.0).max(axis=1))

    def sets(self, predictions: Floats, most: float) -> Flags:
        return 1.0 - np.nan_to_num(predictions, nan=-np.inf) <= most

    def covered(self, truth: Truth, sets: Flags) -> Flags:
        """Whether all labels of a row are in its set."""
        return np.asarray((sets | ~truth.astype(bool)).all(axis=1))

    def prior(self, truth: Truth) -> Floats:
        return np.asarray(truth.mean(axis=0))

    def from_scores(self, scores: Floats) -> Floats:
        from scipy.special import expit

        return np.asarray(expit(scores), dtype=np.float64)

    def _objective(self, loss: str) -> Objective:
        from stratune.objective.label_sets import Binary

        return Binary(len(self.labels))

    def verbalized(self, scale: tuple[float, ...], readout: str) -> tuple[str, ...]:
        why = "it chooses one of the labels; use the readout `head`"
        raise UnsupportedError(f"a task of kind {self.kind}", readout, why)

    def _votes(self, predictions: Floats) -> npt.NDArray[Any]:
        return predictions >= THRESHOLD

    def _tied(self, shares: Floats) -> npt.NDArray[np.bool_]:
        return np.asarray(shares == THRESHOLD)

    def confidence(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """How far the label that is farthest from one half lies from it, doubled."""
        return np.asarray(np.abs(2 * predictions - 1).max(axis=1))

    def _scorer(
        self, truth: Truth, predictions: Predictions, invalid: Flags | None, decided: Any
    ) -> PredictionScorer:
        return LabelSetScorer(truth, predictions, self.labels, invalid=invalid, decided=decided)

    def _lacking(self, truth: Truth, part: str) -> str | None:
        differs = (truth != truth[:1]).any()
        return None if differs else f"in {part} every label stands in all rows or in none"
