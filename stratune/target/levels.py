"""One level of several in order, lowest first: classes that may lie near or far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from stratune.errors import ConfigError
from stratune.evaluate.arrays import Flags, Predictions
from stratune.evaluate.kinds import Kind, Truth
from stratune.evaluate.levels import LevelScorer
from stratune.evaluate.scoring import PredictionScorer
from stratune.target.classes import Classes
from stratune.target.numbers import by_number, number

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

    def problem(self, cell: Any) -> str | None:
        """A number that is a level in another spelling is one (`respelt`)."""
        return None if cell in self.respelt([cell], self.labels) else super().problem(cell)

    def respelt(self, cells: Collection[str], labels: Sequence[str] = ()) -> dict[str, str]:
        """2.0 is the level 2. Where no labels are known, of cells that are one number the shortest is it."""
        own = {value: label for label in labels if (value := number(label)) is not None}
        found: dict[float, list[str]] = defaultdict(list)
        for cell in cells:
            if cell not in labels and (value := number(cell)) is not None:
                found[value].append(cell)
        if labels:
            return {cell: own[value] for value, same in found.items() if value in own for cell in same}
        shortest = {value: min(same, key=lambda cell: (len(cell), cell)) for value, same in found.items()}
        return {
            cell: shortest[value] for value, same in found.items() for cell in same if cell != shortest[value]
        }

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
