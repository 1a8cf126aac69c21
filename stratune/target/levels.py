"""One level of several in order, lowest first: classes that may lie near or far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from stratune.errors import ConfigError
from stratune.evaluate.arrays import Flags, Predictions
from stratune.evaluate.kinds import Kind, Truth
from stratune.evaluate.levels import LevelScorer
from stratune.evaluate.scoring import PredictionScorer
from stratune.target.classes import Classes
from stratune.target.numbers import by_number

if TYPE_CHECKING:
    from stratune.objective import Objective


class Levels(Classes):
    """Truth (N,) int64 level indices; predictions (N, K) probabilities of the levels."""

    kind: ClassVar[Kind] = "ordinal"
    default_metric = "qwk"
    plain_metrics = ("accuracy", "mae_levels")
    losses = ("corn", "cumulative", "cross_entropy", "mse")
    measurement = "ordinal"
    agreement = {"qwk": "weighted kappa", "accuracy": "accuracy", "kappa": "kappa"}

    def in_order(self, found: Sequence[str] | set[str]) -> tuple[str, ...]:
        """By number; ConfigError for words, whose order is the user's to give."""
        ordered = by_number(set(found))
        if ordered is None:
            names = ", ".join(sorted(found)[:5])
            raise ConfigError(f"give the levels in their order; found {names}", key="task.labels")
        return ordered

    def _objective(self, loss: str) -> Objective:
        from stratune.objective.classes import CrossEntropy
        from stratune.objective.levels import Corn, Cumulative, LevelValue

        made: dict[str, type[Objective]] = {
            "corn": Corn,
            "cumulative": Cumulative,
            "cross_entropy": CrossEntropy,
            "mse": LevelValue,
        }
        return made[loss](len(self.labels))

    def _scorer(
        self, truth: Truth, predictions: Predictions, invalid: Flags | None, decided: Any
    ) -> PredictionScorer:
        return LevelScorer(truth, predictions, self.labels, invalid=invalid, decided=decided)
