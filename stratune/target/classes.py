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
from stratune.target.joining import Owners

if TYPE_CHECKING:
    from stratune.evaluate.raters import Raters
    from stratune.objective import Objective


class Classes(Target):
    """Truth (N,) int64 label indices; predictions (N, K) probabilities, whose highest decides."""

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

    def decided(self, predictions: Predictions, invalid: Flags | None = None) -> npt.NDArray[np.intp]:
        """(N,) label indices; K, which is no label, for an invalid row."""
        return predicted(predictions, invalid)

    def answers(self, predictions: Predictions, invalid: Flags | None = None) -> list[str]:
        """The most probable label of each row, empty for an invalid one."""
        names = [*self.labels, ""]
        return [names[k] for k in self.decided(predictions, invalid)]

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

    def _scorer(self, truth: Truth, predictions: Predictions, invalid: Flags | None) -> PredictionScorer:
        return ClassScorer(truth, predictions, self.labels, invalid=invalid)

    def _lacking(self, truth: Truth, part: str) -> str | None:
        if len(found := np.unique(truth)) > 1:
            return None
        return f"{part} has only {self.labels[found[0]]!r}"

    def raters(self, ratings: Floats, *, identified: bool = False) -> Raters:
        from stratune.evaluate.raters import LabelRaters

        ordered = self.measurement == "ordinal"
        return LabelRaters(ratings, len(self.labels), ordered=ordered, identified=identified)
