"""stress: what the models of a finished comparison do when the test texts change and the labels do not.

Nothing is trained. Each perturbation is made once, and every model answers the same texts (perturb/rows.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stratune.comparison.bench import Bench, Trial
from stratune.comparison.board import Board
from stratune.comparison.cases import read_cases
from stratune.comparison.source import split_again
from stratune.config import read_config
from stratune.errors import ConfigError, choices
from stratune.evaluate.multiple import holm
from stratune.files import write_json
from stratune.ownership import owned_by_us
from stratune.perturb import find_perturbations
from stratune.report import human, publish
from stratune.report.robustness import FILE
from stratune.result import RunResult
from stratune.watch import SILENT, Progress

Row = dict[str, Any]

ROWS = 500


def stress(
    out: str | Path,
    strategies: Sequence[str] | None = None,
    *,
    only: Sequence[str] | None = None,
    strength: float | None = None,
    rows: int = ROWS,
    seed: int = 0,
    swap: bool = False,
    cases: str | Path | None = None,
    allow_server: str | Sequence[str] = (),
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Of the finished comparison in `out`; `strategies`: rows of its leaderboard, None: all that read texts.

    `only`: names of perturbations; none at all with an empty list. `strength`: 0 to 1, for all of them; None:
    each its own. `rows`: of the test part, at most. `swap`: the order of a pair's texts means nothing.
    `cases`: a file of expected changes (cases.py). Writes robustness.json, which is also returned, and the
    report anew.

    Raises ArtifactError where there is no comparison, or its data are others now; ConfigError for an unknown
    name, or a strategy named whose server is not allowed; DataError for a case that cannot be.
    """
    out = Path(out)
    board = Board.load(out, allow_server=allow_server)
    config = read_config(out / "config.yaml")
    if strength is not None and not 0 < strength <= 1:
        raise ConfigError(f"{strength:g} is not above 0 and at most 1", key="strength")
    if rows < 1:
        raise ConfigError(f"{rows} is below 1", key="rows")
    if swap and board.task.text_pair is None:
        raise ConfigError("the texts of this comparison are no pairs", key="swap")
    wanted = find_perturbations(only, swap=swap)
    entries = _entries(board, strategies)
    expected = [] if cases is None else read_cases(cases, board.task)
    split = split_again(out, config, board.leaderboard["split"]["fingerprint"])
    owned_by_us(out).own(FILE)
    bench = Bench.of(split, rows, seed, keep=config.report.texts > 0)
    trials = [bench.trial(one, one.usual if strength is None else strength, seed) for one in wanted]
    found: list[Row] = []
    notes, refused = [], []
    for row in entries:
        name = _name(row)
        try:
            model = board.model(row["strategy"], row["backbone"])
        except ConfigError as error:  # a server that nobody allowed
            if strategies is not None:
                raise
            notes.append(f"{name} is left out: {error}")
            refused.append(error)
            continue
        progress.stage(name, 1 + len(trials))
        if model.model.paid:
            asked = len(bench.ids) + sum(sum(one.rows.changed) for one in trials)
            most = asked + sum(len(case.texts) for case in expected)
            progress.note(f"{name} asks a server: up to {most:,} requests")
        found.append({**about(board, row), **bench.stressed(model, trials, expected, progress)})
    if not found:
        why = ConfigError("no row of the leaderboard reads the texts", key="strategies")
        raise refused[0] if refused else why
    _adjust(found)
    result = {
        "fingerprint": split.fingerprint,
        "metric": split.task.metric,
        "higher_is_better": split.task.selection.higher_is_better,
        "rows": len(bench.ids),
        "seed": seed,
        "perturbations": [_described(one) for one in trials],
        "strategies": found,
        "notes": notes,
    }
    write_json(out / FILE, result)
    publish(out)
    return result


def _entries(board: Board, strategies: Sequence[str] | None) -> list[Row]:
    """Rows that finished. Where none is named, not those whose answers do not depend on the text."""
    if strategies is None:
        return [row for row in board.rows if row["status"] == "ok" and not row.get("floor")]
    return entries_named(board, strategies)


def entries_named(board: Board, strategies: Sequence[str]) -> list[Row]:
    """Rows that finished, of each name all. ConfigError for a name that is none of them."""
    done = [row for row in board.rows if row["status"] == "ok"]
    named: list[Row] = []
    for name in strategies:
        own = [
            row for row in done if name in (row["strategy"], human.entry(row["strategy"], row["backbone"]))
        ]
        if not own:
            raise ConfigError(choices(name, dict.fromkeys(row["strategy"] for row in done)), key="strategies")
        named += [row for row in own if row not in named]
    return named


def _name(row: Row) -> str:
    return human.entry(row["strategy"], row["backbone"])


def about(board: Board, row: Row) -> dict[str, Any]:
    """Which model answers, and `files`, which tells it from one that is trained later."""
    folder = board.model_folder(row["strategy"], row["backbone"]).parent
    result = RunResult.load(folder / "result.json")
    named = {"strategy": row["strategy"], "backbone": row["backbone"], "seed": result.seed}
    return {**named, "files": result.digest}


def _described(trial: Trial) -> dict[str, Any]:
    one, rows = trial.one, trial.rows
    share = None if one.kind == "prompt" else sum(rows.changed) / len(rows.changed)
    about = {"name": one.name, "about": one.about, "kind": one.kind}
    return {**about, "strength": trial.strength, "changed": share}


def _adjust(found: Sequence[Row]) -> None:
    """`p_adjusted` of every change that is shown (Holm)."""
    known = [effect["change"] for one in found for effect in one["effects"] if effect["change"] is not None]
    for change, p in zip(known, holm([change["p"] for change in known]), strict=True):
        change["p_adjusted"] = p
