"""Combinations: rows of the leaderboard made of runs that are already there. Nothing is trained for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stratune.errors import ConfigError
from stratune.strategy.base import Combination, register_combination

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor
    from stratune.result import RunResult

    Gain = Callable[[RunResult], float]  # validation metric, higher is better
    Load = Callable[[RunResult], Predictor]


@register_combination("ensemble")
@dataclass(frozen=True)
class Ensemble(Combination):
    """Average of the probabilities of the `best` finished runs by validation, floors included."""

    name: str = "ensemble"
    best: int = 3

    kind = "ensemble"
    within_backbone = False

    def __post_init__(self) -> None:
        if self.best < 2:
            raise ConfigError(f"{self.best} is below 2", key=f"strategies.{self.name}.best")

    def choose(self, runs: Sequence[RunResult], gain: Gain) -> list[RunResult]:
        return sorted(self._asked(runs), key=gain, reverse=True)[: self.best]  # stable: ties as planned

    def combine(self, members: Sequence[RunResult], load: Load) -> Predictor:
        from stratune.model.ensemble import EnsembleModel
        from stratune.predictor.predictor import Predictor

        loaded = [load(member) for member in members]
        return Predictor(loaded[0].task, EnsembleModel(loaded), {"backbone": None})

    def costs(self, members: Sequence[RunResult], cost: str) -> int:
        return sum(getattr(member, cost) or 0 for member in members)


@register_combination("soup")
@dataclass(frozen=True)
class Soup(Combination):
    """Average of the trained tensors of one strategy over its seeds: the best strategy by validation.

    Wortsman et al. 2022, "Model soups". One model again, so it predicts at the price of one.
    """

    name: str = "soup"

    kind = "soup"
    within_backbone = True

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

    def combine(self, members: Sequence[RunResult], load: Load) -> Predictor:
        from stratune.train.checkpoint import restore, snapshot

        first, *others = members
        predictor = load(first)
        learned = predictor.model.trainable()
        total = {name: tensor.double() for name, tensor in snapshot(learned).items()}
        for other in others:  # one at a time: a second backbone in memory, never all of them
            for name, tensor in snapshot(load(other).model.trainable()).items():
                total[name] += tensor
        restore(learned, {name: tensor / len(members) for name, tensor in total.items()})
        return predictor

    def costs(self, members: Sequence[RunResult], cost: str) -> int:
        return int(getattr(members[0], cost) or 0)
