"""The plan of a comparison: which runs there are, in which order, and which of them a combination takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stratune.errors import ConfigError, choices
from stratune.files import sha256
from stratune.identity import digest
from stratune.result import RunResult, run_id

if TYPE_CHECKING:
    from stratune.config import Config
    from stratune.strategy.base import Candidate
    from stratune.task import Task


@dataclass(frozen=True)
class Planned:
    """One run of the plan."""

    candidate: Candidate
    backbone: str | None  # None: it uses none
    seed: int
    needs: tuple[str, ...] = ()  # run ids, as planned, that must have ended before: it may be made of them

    @property
    def strategy(self) -> dict[str, Any]:
        """Settings, every option written out."""
        return self.candidate.settings()

    @property
    def run_id(self) -> str:
        return run_id(self.candidate.name, self.backbone, self.seed)


def plan(config: Config) -> list[Planned]:
    """Every run, seed by seed, so that a comparison cut short has all strategies; combinations come last.

    Raises ConfigError on a name used twice, or a combination of what is not there.
    """
    from stratune.strategy import parse_strategy

    candidates = [parse_strategy(spec) for spec in config.strategies]
    _check_names([candidate.name for candidate in candidates])
    alone = [candidate for candidate in candidates if not candidate.made_of_runs]
    runs = [
        Planned(candidate, backbone, seed)
        for candidate in alone
        for backbone, seed in candidate.runs(config.backbones, config.llms, config.seeds)
    ]
    runs.sort(key=lambda run: run.seed)  # stable
    combined: list[Planned] = []
    for candidate in candidates:
        if candidate.made_of_runs:
            combined += _combined(candidate, runs, config)
    return runs + combined


def _check_names(names: Sequence[str]) -> None:
    folders = [run_id(name, None, 0) for name in names]
    for name, folder in zip(names, folders, strict=True):
        if folders.count(folder) > 1:
            raise ConfigError(
                f"{name!r} stands there twice; give one of them another `name`", key="strategies"
            )


def _combined(candidate: Candidate, runs: Sequence[Planned], config: Config) -> list[Planned]:
    """The runs of what is made of `runs`."""
    candidate.check(config.seeds)
    names = {run.candidate.name for run in runs}
    for name in candidate.of:
        if name not in names:
            raise ConfigError(choices(name, sorted(names)), key=f"strategies.{candidate.name}.of")
    trained_on = dict.fromkeys(run.backbone for run in runs if run.candidate.trains and run.backbone)
    backbones = list(trained_on) if candidate.within_backbone else config.backbones
    return [
        Planned(candidate, backbone, seed, tuple(_needed(candidate, backbone, runs)))
        for backbone, seed in candidate.runs(backbones, config.llms, config.seeds)
    ]


def _needed(candidate: Candidate, backbone: str | None, runs: Iterable[Planned]) -> list[str]:
    return [
        run.run_id
        for run in runs
        if (not candidate.within_backbone or run.backbone == backbone)
        and (not candidate.of or run.candidate.name in candidate.of)
    ]


def members_of(planned: Planned, done: Mapping[str, RunResult], task: Task) -> dict[str, str]:
    """Of what is made of runs: those that it takes, each with a digest of how it was made.

    `done`: the results of runs that ended well, by run id.
    """
    runs = [done[name] for name in planned.needs if name in done]
    chosen = planned.candidate.choose(runs, lambda run: task.selection.score(run.val))
    return {
        run.run_id: sha256(digest(run.identity), json.dumps([run.settings, run.val]))[:12] for run in chosen
    }
