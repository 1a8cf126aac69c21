"""The plan of a comparison: which runs there are, in which order, and which of them a combination takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stratune.errors import ConfigError, choices
from stratune.files import sha256
from stratune.result import RunResult, run_id

if TYPE_CHECKING:
    from stratune.comparison.config import Config
    from stratune.strategy.base import Combination
    from stratune.task import Task


@dataclass(frozen=True)
class Planned:
    """One run of the plan. Floors have no backbone, and one seed: nothing in them is random."""

    strategy: dict[str, Any]  # settings, every option written out
    backbone: str | None
    seed: int
    combination: Combination | None = None  # made of the runs before it

    @property
    def run_id(self) -> str:
        return run_id(self.strategy["name"], self.backbone, self.seed)


def plan(config: Config) -> list[Planned]:
    """Every run, seed by seed, so that a comparison cut short has all strategies; combinations come last.

    Raises ConfigError on a name used twice, or a combination of what is not there.
    """
    from stratune.remote.settings import Remote
    from stratune.strategy import Strategy, parse_strategy
    from stratune.strategy.base import Combination
    from stratune.train.settings import Budget, TrainSettings

    sections = ((Budget, config.budget), (TrainSettings, config.train), (Remote, config.remote))
    for cls, section in sections:
        cls(**section.model_dump())  # what is wrong is said now
    strategies = [parse_strategy(spec) for spec in config.strategies]
    names = [strategy.name for strategy in strategies]
    folders = [run_id(name, None, 0) for name in names]
    for name, folder in zip(names, folders, strict=True):
        if folders.count(folder) > 1:
            raise ConfigError(
                f"{name!r} stands there twice; give one of them another `name`", key="strategies"
            )

    trained = [strategy for strategy in strategies if isinstance(strategy, Strategy) and strategy.trains]

    def places(strategy: Strategy) -> tuple[str, ...]:
        return (config.llms if strategy.readout.language_model else ()) or config.backbones

    combinations = [strategy for strategy in strategies if isinstance(strategy, Combination)]
    runs: list[Planned] = []
    for seed in range(config.seeds):
        for strategy in strategies:
            if isinstance(strategy, Strategy):
                runs += [Planned(strategy.settings(), backbone, seed) for backbone in places(strategy)]
            elif seed == 0 and not isinstance(strategy, Combination):
                runs.append(Planned(strategy.settings(), None, seed))
    members = {run.strategy["name"] for run in runs}
    for combination in combinations:
        combination.check(config.seeds)
        for name in combination.of:
            if name not in members:
                raise ConfigError(choices(name, sorted(members)), key=f"strategies.{combination.name}.of")
        where: dict[str | None, None] = {None: None}
        if combination.within_backbone:
            where = dict.fromkeys(place for strategy in trained for place in places(strategy))
        runs += [Planned(combination.settings(), backbone, 0, combination) for backbone in where]
    return runs


def members_of(planned: Planned, done: Sequence[RunResult], task: Task) -> dict[str, str]:
    """Of a combination: the runs it takes, each with a digest of how it was made."""
    if planned.combination is None:
        return {}
    runs = [run for run in done if planned.backbone in (None, run.backbone)]
    chosen = planned.combination.choose(runs, lambda run: task.selection.score(run.val))
    return {run.run_id: sha256(json.dumps([run.settings, run.val, run.fingerprint]))[:12] for run in chosen}
