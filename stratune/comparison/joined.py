"""Several comparisons on one split as one board: every two of their rows are tested as a pair."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stratune.errors import ConfigError
from stratune.report import leaderboard
from stratune.report.comparison import Comparison, Run, load
from stratune.report.verdict import asking


def joined(folders: Sequence[Path], prefer: str | None = None) -> dict[str, Any]:
    """The board of one or more comparisons, as leaderboard.json has it; nothing is written.

    A run that several have, with the same settings, is there once; a strategy that means another thing in a
    later folder is named with it. ConfigError: they are of other splits or tasks.
    """
    whole = [folder.resolve() for folder in folders]
    if twice := next(
        (folder for folder, one in zip(folders, whole, strict=True) if whole.count(one) > 1), None
    ):
        raise ConfigError("the same comparison stands there twice", key=str(twice))
    comparisons = [load(folder) for folder in folders]
    first = comparisons[0]
    for other in comparisons[1:]:
        _check_same(first, other)
    runs, homes = _runs(comparisons)
    config = {**first.config, **({"prefer": prefer} if prefer else {})}
    board = leaderboard.build(replace(first, runs=tuple(runs), config=config))
    for other in comparisons[1:]:
        if _budget(other) != _budget(first):
            why = f"{other.out} had another budget than {first.out}: trained rows do not compare fairly"
            board["warnings"] = [
                {"level": "warning", "code": "own_budget", "message": why},
                *board["warnings"],
            ]
    if len(comparisons) > 1 and board["verdict"]:
        winner = board["verdict"]["winner"]
        home, own = homes[winner["strategy"], winner["backbone"]]
        named = own if winner["backbone"] is None else f"{own}@{winner['backbone']}"
        command = asking(home, first.task, transcripts=first.of_transcripts)
        board["verdict"]["command"] = f"{command} --strategy {shlex.quote(named)}"
    return board


def _budget(comparison: Comparison) -> dict[str, Any]:
    """config.yaml up to 0.9 does not tell how many trials there were: one. Up to 0.10 they were random,
    and up to 0.12 not counted by time.
    """
    return {"trials": 1, "search": "random", "minutes": None, **(comparison.config.get("budget") or {})}


def _check_same(first: Comparison, other: Comparison) -> None:
    if other.fingerprint != first.fingerprint:
        why = f"made on another split ({other.fingerprint[:12]}) than {first.out} ({first.fingerprint[:12]})"
        raise ConfigError(f"{why}: their rows were not tested on the same texts", key=str(other.out))
    for key, there in first.task.to_dict().items():
        if (here := other.task.to_dict()[key]) != there:
            raise ConfigError(f"its {key} is {here!r}, that of {first.out} {there!r}", key=str(other.out))


def _runs(comparisons: Sequence[Comparison]) -> tuple[list[Run], dict[Any, tuple[Path, str]]]:
    """All runs, and (strategy, backbone) as named here -> (folder, name there)."""
    runs: list[Run] = []
    settings: dict[Any, Any] = {}
    homes: dict[Any, tuple[Path, str]] = {}
    for comparison in comparisons:
        for entry in comparison.entries():
            name, known = entry.strategy, settings.get((entry.strategy, entry.backbone))
            own = [run.result.identity for run in entry.runs]
            if known == own:
                continue
            if known is not None:
                name = f"{name} ({comparison.out.name})"
            settings[name, entry.backbone] = own
            homes[name, entry.backbone] = comparison.out, entry.strategy
            runs += [replace(run, result=replace(run.result, strategy=name)) for run in entry.runs]
    return runs, homes
