"""One label of several for each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Flags, Floats, Predictions
from stratune.evaluate.classes import ClassScorer, predicted
from stratune.evaluate.kinds import Kind, Truth
from stratune.evaluate.scoring import PredictionScorer
from stratune.target.base import Target
from stratune.target.decision import DECIDE, PLAIN, Decide, Decision, best_threshold
from stratune.target.joining import Owners

if TYPE_CHECKING:
    from stratune.evaluate.raters import Raters
    from stratune.objective import Objective


class Classes(Target):
    """Truth (N,) int64 label indices; predictions (N, K) probabilities; the highest decides."""

    kind: ClassVar[Kind] = "classification"
    default_metric = "f1_macro"
    plain_metrics: ClassVar[tuple[str, ...]] = ("accuracy",)
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy",)
    one_label = True
    agreement: ClassVar[Mapping[str, str]] = {"accuracy": "accuracy", "kappa": "kappa"}

    def members(self, cell: str) -> list[str]:
        return [cell]

    def truth(self, cells: Sequence[Any]) -> Truth:
        return np.array([self.index[name] for name in cells], dtype=np.int64)

    def strata(self, cells: Sequence[str]) -> list[str]:
        """The row's label."""
        return list(cells)

    def decided(
        self, predictions: Predictions, invalid: Flags | None = None, decision: Decision = PLAIN
    ) -> npt.NDArray[np.intp]:
        """(N,) label indices, the most probable or by the threshold; K, which is no label, if invalid."""
        if not decision.thresholds:
            return predicted(predictions, invalid)
        second = (predictions[:, 1] >= decision.thresholds[0]).astype(np.intp)
        return second if invalid is None else np.where(invalid, len(self.labels), second)

    def named(self, decided: npt.NDArray[np.intp]) -> list[str]:
        """Labels; an empty one for an invalid row."""
        names = [*self.labels, ""]
        return [names[k] for k in decided]

    def decided_of(self, cells: Sequence[Any]) -> npt.NDArray[np.intp]:
        return np.array([self.index.get(name, len(self.labels)) for name in cells], dtype=np.intp)

    def chosen(
        self, truth: Truth, predictions: Floats, invalid: Flags | None = None, how: Decide = DECIDE
    ) -> Decision:
        how.check(self)
        if how.metric is None and how.costs is None:
            return PLAIN
        selection = self.selection(how.metric) if how.metric is not None else None
        costs = how.cost_matrix(self.labels)  # (2, 2)

        def gain(threshold: float) -> float:
            decided = self.decided(predictions, invalid, Decision((threshold,)))
            if selection is None:
                return -float(
                    np.where(decided < 2, costs[truth, decided % 2], costs[truth].max(axis=1)).mean()
                )
            return selection.score(self.score(truth, predictions, invalid, decided))

        return Decision((best_threshold(predictions[:, 1], gain),))

    def strangeness(self, truth: Truth, predictions: Floats) -> Floats:
        return np.asarray(1.0 - predictions[np.arange(len(truth)), truth])

    def sets(self, predictions: Floats, most: float) -> Flags:
        return 1.0 - np.nan_to_num(predictions, nan=-np.inf) <= most

    def covered(self, truth: Truth, sets: Flags) -> Flags:
        return sets[np.arange(len(truth)), truth]

    def prior(self, truth: Truth) -> Floats:
        return np.bincount(truth, minlength=len(self.labels)) / len(truth)

    def from_scores(self, scores: Floats) -> Floats:
        from scipy.special import softmax

        return np.asarray(softmax(scores, axis=1), dtype=np.float64)

    def _objective(self, loss: str) -> Objective:
        from stratune.objective.classes import CrossEntropy

        return CrossEntropy(len(self.labels))

    def _votes(self, predictions: Floats) -> npt.NDArray[Any]:
        return np.asarray(np.eye(predictions.shape[1])[predictions.argmax(axis=1)])

    def highest(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """Made to sum to one."""
        highest = super().highest(predictions, owner, count)
        return np.asarray(highest / highest.sum(axis=1, keepdims=True))

    def confidence(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """How far the highest probability lies above 1 / K."""
        return np.asarray(predictions.max(axis=1) - 1 / predictions.shape[1])

    def _scorer(
        self, truth: Truth, predictions: Predictions, invalid: Flags | None, decided: Any
    ) -> PredictionScorer:
        return ClassScorer(truth, predictions, self.labels, invalid=invalid, decided=decided)

    def _lacking(self, truth: Truth, part: str) -> str | None:
        if len(found := np.unique(truth)) > 1:
            return None
        return f"{part} has only {self.labels[found[0]]!r}"

    def raters(self, ratings: Floats, *, identified: bool = False) -> Raters:
        from stratune.evaluate.raters import LabelRaters

        ordered = self.measurement == "ordinal"
        return LabelRaters(ratings, len(self.labels), ordered=ordered, identified=identified)
