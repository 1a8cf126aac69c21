"""Combinations: rows of the leaderboard made of runs that are already there. Nothing is trained for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stratune.errors import ConfigError
from stratune.strategy.base import Combination, Joined
from stratune.strategy.registry import register_combination

if TYPE_CHECKING:
    from stratune.result import RunResult
    from stratune.strategy.base import Gain


@register_combination("ensemble")
@dataclass(frozen=True)
class Ensemble(Combination):
    """Average of the probabilities of the `best` finished runs by validation, baselines included."""

    name: str = "ensemble"
    best: int = 3

    kind = "ensemble"
    joins: ClassVar[Joined] = "predictions"

    def __post_init__(self) -> None:
        if self.best < 2:
            raise ConfigError(f"{self.best} is below 2", key=f"strategies.{self.name}.best")

    def choose(self, runs: Sequence[RunResult], gain: Gain) -> list[RunResult]:
        return self._best(runs, gain, self.best)

    def costs(self, members: Sequence[RunResult], cost: str) -> int:
        return sum(getattr(member, cost) or 0 for member in members)


@register_combination("stack")
@dataclass(frozen=True)
class Stack(Ensemble):
    """Weighted mean of the probabilities of finished runs; validation chooses the weights.

    Wolpert 1992, "Stacked generalization"; Caruana et al. 2004, "Ensemble selection from libraries of
    models". Of the `best` runs by validation, baselines included, those that get no weight are left out.
    """

    name: str = "stack"
    best: int = 10

    kind = "stack"
    joins = "weighted predictions"


@register_combination("soup")
@dataclass(frozen=True)
class Soup(Combination):
    """Average of the trained tensors of one strategy over its seeds: the best strategy by validation.

    Wortsman et al. 2022, "Model soups". One model again, so it predicts at the price of one.
    """

    name: str = "soup"

    kind = "soup"
    within_backbone = True
    joins = "weights"

    def check(self, seeds: int) -> None:
        if seeds < 2:
            raise ConfigError(
                f"it averages over seeds, and `seeds` is {seeds}", key=f"strategies.{self.name}"
            )

    def choose(self, runs: Sequence[RunResult], gain: Gain) -> list[RunResult]:
        by_strategy: dict[str, list[RunResult]] = {}
        for run in self._asked(runs):
            if run.backbone is not None and run.trainable_params:
                by_strategy.setdefault(run.strategy, []).append(run)
        several = [found for found in by_strategy.values() if len(found) > 1]
        return max(several, key=lambda found: sum(map(gain, found)) / len(found), default=[])

    def costs(self, members: Sequence[RunResult], cost: str) -> int:
        return int(getattr(members[0], cost) or 0)
