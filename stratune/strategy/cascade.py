"""Cascade: a cheap model answers where it is sure, and a dear one where it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stratune.errors import ConfigError
from stratune.strategy.base import Combination, Joined
from stratune.strategy.registry import register_combination

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.result import RunResult
    from stratune.strategy.base import Gain

CHEAPER = 2  # times fewer parameters: of models that are about as large the dear one alone is better


@register_combination("cascade")
@dataclass(frozen=True)
class Cascade(Combination):
    """The best finished run by validation, and before it the best of those that are much smaller.

    Viola & Jones 2001; how sure the small one must be is chosen by conformal risk control (Angelopoulos et
    al. 2022): of the rows that come, the share that the best one answers right and the cascade wrong is
    expected to be at most `most_lost`.
    """

    name: str = "cascade"
    most_lost: float = 0.01

    kind = "cascade"
    joins: ClassVar[Joined] = "the first that is sure"
    needs = "the best run and one much smaller than it"

    def __post_init__(self) -> None:
        if not 0 < self.most_lost < 1:
            why = f"{self.most_lost} is no share between 0 and 1"
            raise ConfigError(why, key=f"strategies.{self.name}.most_lost")

    def check_data(self, split: Split) -> None:
        if split.task.target.is_numeric:
            why = "a value does not say how sure it is; a cascade needs labels"
            raise ConfigError(why, key=f"strategies.{self.name}")

    def choose(self, runs: Sequence[RunResult], gain: Gain) -> list[RunResult]:
        """The cheap one, then the dear one, as `of` names two; none where nothing is much smaller."""
        if len(self.of) == 2:
            pair = [[run for run in runs if run.strategy == name] for name in self.of]
            return [max(found, key=gain) for found in pair if found]
        best = self._best(runs, gain, 1)
        most = _size(best[0]) if best else 0.0
        cheap = [run for run in runs if CHEAPER * _size(run) <= most and _size(run) < most and not run.floor]
        return [*self._best(cheap, gain, 1), *best]

    def costs(self, members: Sequence[RunResult], cost: str) -> int:
        return sum(getattr(member, cost) or 0 for member in members)


def _size(run: RunResult) -> float:
    """Parameters that an answer takes; a server's are many."""
    return math.inf if run.total_params is None else float(run.total_params)
