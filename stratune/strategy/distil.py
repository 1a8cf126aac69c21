"""Distillation: a student learns what the best runs answer to texts that nobody has labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stratune.errors import ConfigError
from stratune.strategy.base import Baseline, Combination, Distillation, Strategy
from stratune.strategy.blocks import check_positive
from stratune.strategy.parse import parse_strategy
from stratune.strategy.registry import register_combination

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.result import RunResult
    from stratune.strategy.base import Gain, Place


@register_combination("distil")
@dataclass(frozen=True)
class Distil(Distillation):
    """A student learns the mean answers of the `best` finished runs to texts without labels.

    Bucila et al. 2006, "Model compression"; Hinton et al. 2015, arXiv 1503.02531. The training rows keep
    their labels; a text without one has the teachers' probabilities. `student`: a strategy that learns.
    """

    name: str = "distil"
    best: int = 3

    kind = "distil"

    def __post_init__(self) -> None:
        check_positive(best=self.best)
        made = parse_strategy(self.student)
        if made.fitted_by(_Learner()) is None:
            why = f"{made.name}: it cannot learn answers; expected a technique that trains, as probe or lora"
            raise ConfigError(why, key=f"strategies.{self.name}.student")

    @property
    def strategy(self) -> Strategy:
        made = parse_strategy(self.student).fitted_by(_Learner())
        assert made is not None
        return made

    @property
    def trains(self) -> bool:
        return self.strategy.trains

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "student": self.strategy.settings()}

    def runs(self, backbones: Sequence[str], llms: Sequence[str], seeds: int) -> list[Place]:
        return self.strategy.runs(backbones, llms, seeds)

    def check_data(self, split: Split) -> None:
        if split.unlabelled is None:
            why = "it learns from texts without labels; name a file of them with --unlabelled"
            raise ConfigError(why, key=f"strategies.{self.name}")
        if split.cross_validated:  # its teachers have learned from every row that it would be measured on
            why = "it needs validation rows that its teachers have not seen; add --validation rows"
            raise ConfigError(why, key=f"strategies.{self.name}")

    def choose(self, runs: Sequence[RunResult], gain: Gain) -> list[RunResult]:
        return self._best(runs, gain, self.best)


class _Learner:
    """The strategy, where it learns from training rows; None of other kinds of candidate (base.Fitter)."""

    def strategy(self, strategy: Strategy) -> Strategy | None:
        return strategy if strategy.trains or strategy.solved else None

    def baseline(self, baseline: Baseline) -> None:
        return None

    def combination(self, combination: Combination) -> None:
        return None

    def distillation(self, distillation: Distillation) -> None:
        return None
