"""TPE: settings near those that did well so far (Bergstra et al., 2011), by optuna, an optional extra.

A study is made of the trials so far at each call, in memory, so that there is no file but `trials.jsonl`, and
a run that was killed goes on as one that was not.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stratune.errors import ConfigError
from stratune.evaluate.selection import Selection
from stratune.train.sampler import REDRAWS, RandomSearch, seeds_of
from stratune.train.space import Settings, Space, three_digits
from stratune.train.trial import Trial

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

# Trials at random before the first by TPE, the default settings one of them. optuna's own is 10, which would
# make a budget of 8 trials a random search.
RANDOM_FIRST = 4


def need_optuna() -> None:
    """Raises ConfigError where it is not installed."""
    if importlib.util.find_spec("optuna") is None:
        why = "'tpe' needs optuna, which is not installed: pip install 'stratune[optuna]'"
        raise ConfigError(why, key="budget.search")


@dataclass(frozen=True)
class Tpe:
    """The fields of RandomSearch, whose trials are the first ones; `selection` tells what did well.

    All options are modelled together. A trial that failed, or whose metric is undefined, is below all others.
    """

    space: Space
    own: Settings
    seed: int
    name: str
    selection: Selection

    def ask(self, history: Sequence[Trial]) -> Settings | None:
        at_random = RandomSearch(self.space, self.own, self.seed, self.name)
        if len(history) < RANDOM_FIRST:
            return at_random.ask(history)
        study, options = self._study(history), self._options()
        distributions = {name: one.distribution for name, one in options.items()}
        tried = [trial.settings for trial in history]
        for _ in range(REDRAWS):
            drawn = study.ask(distributions).params
            settings = {name: one.setting(drawn[name]) for name, one in options.items()}
            if settings not in tried:
                return settings
        return at_random.ask(history)  # TPE is sure of settings that were tried already

    def _study(self, history: Sequence[Trial]) -> Study:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it would print a line for every study
        seed = seeds_of(self.seed, self.name, len(history))
        sampler = optuna.samplers.TPESampler(
            seed=int(seed.generate_state(1)[0]), n_startup_trials=0, multivariate=True
        )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        options = self._options()
        for trial in history:
            failed = trial.error is not None
            found = optuna.trial.create_trial(
                params={name: one.parameter(trial.settings[name]) for name, one in options.items()},
                distributions={name: one.distribution for name, one in options.items()},
                value=float("-inf") if failed else self.selection.score(trial.val),
            )
            study.add_trial(found)
        return study

    def _options(self) -> dict[str, _Listed | _Between]:
        return {
            name: dimension.described(self.own[name], _Option(self.own[name]))
            for name, dimension in self.space.items()
        }


@dataclass(frozen=True)
class _Option:
    """Of a dimension (space.Described); the own value is tried, too, where it is not one of those drawn."""

    own: Any

    def listed(self, values: list[Any]) -> _Listed | _Between:
        return _Listed(values if self.own in values else [self.own, *values])

    def between(self, low: float, high: float) -> _Listed | _Between:
        return _Between(low, high)


@dataclass(frozen=True)
class _Listed:
    """One of these values. A parameter is the index of one: optuna takes no lists as values."""

    values: list[Any]

    @property
    def distribution(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(range(len(self.values)))

    def parameter(self, setting: Any) -> int:
        return self.values.index(setting)

    def setting(self, parameter: int) -> Any:
        return self.values[parameter]


@dataclass(frozen=True)
class _Between:
    """A number of an interval, by its logarithm."""

    low: float
    high: float

    @property
    def distribution(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=True)

    def parameter(self, setting: float) -> float:
        return min(max(setting, self.low), self.high)  # three digits of a number may lie outside

    def setting(self, parameter: float) -> float:
        return three_digits(parameter)
