"""What a reader must know before a score counts: faults of the data, and parts too small to measure on.

leaderboard.json has `warnings`, all of them with the gravest first: errors of the data check, then `caveats`,
then its warnings. `caveats` has those of validation and of test: few rows, few groups, labels with few rows
or none, and numbers of which a few rows make most of the error. A comparison that went on in spite of errors
has `"anyway": true`. The terminal, Markdown and the page show them above the board, and mark a part that has
caveats with a star in the headings of its scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.report import human

if TYPE_CHECKING:
    from stratune.data.predictions import Predictions
    from stratune.report.comparison import Comparison
    from stratune.target import Target

Board = dict[str, Any]
Note = dict[str, str]  # level, code, message

FEW_ROWS = 30  # with fewer, one row moves a share by more than three percent
FEW_GROUPS = 10  # with fewer, how much groups differ is itself hardly known
FEW_OF_LABEL = 5  # with fewer, a label's F1 moves by a fifth with one row, and macro means with it
TAIL = 0.05  # this share of the rows, those with the largest errors,
HEAVY = 0.4  # holds so much of the squared error: of normal errors 0.28
SHOWN = 8  # lines above the board in the terminal; the page and Markdown show more
MANY = 40
NAMED = 3  # labels
# Codes of the data check that `caveats` measures anew, on the rows of the predictions.
MEASURED = {"small_val", "small_test", "few_groups", "missing_class"}
PARTS = {"val": "validation", "test": "test"}


def of_board(comparison: Comparison) -> dict[str, Any]:
    """`warnings`, `caveats` and, where it is so, `anyway` of leaderboard.json."""
    data = comparison.data or {}
    issues = [{key: issue[key] for key in ("level", "code", "message")} for issue in data.get("issues", ())]
    found = caveats(comparison)
    if any(run.predictions for run in comparison.runs):
        issues = [one for one in issues if one["code"] not in MEASURED]
    levels = {level: [one for one in issues if one["level"] == level] for level in ("error", "warning")}
    anyway = {"anyway": True} if data.get("anyway") else {}
    return {
        **anyway,
        "warnings": [
            *levels["error"],
            *_unlike(comparison),
            *found["val"],
            *found["test"],
            *levels["warning"],
        ],
        "caveats": found,
    }


def _unlike(comparison: Comparison) -> list[Note]:
    """Runs that are not on this board, and rows on it that had another budget than the others."""
    notes = [
        {"level": "warning", "code": "set_aside", "message": f"{run} is not ranked here: {why}"}
        for run, why in comparison.set_aside.items()
    ]
    budget = comparison.config.get("budget") or {}
    usual = budget.get("epochs")
    own: dict[str, float] = {}
    for run in comparison.runs:
        strategy = run.result.settings.get("strategy") or {}
        epochs = strategy.get("epochs")
        if run.result.status == "ok" and epochs is not None and "epochs" in budget and epochs != usual:
            own[run.result.strategy] = epochs
    others = "the usual one" if usual is None else f"{usual:g}"
    for strategy, epochs in own.items():
        why = f"{strategy} has a budget of its own, {epochs:g} epochs; the others' is {others}"
        notes.append({"level": "warning", "code": "own_budget", "message": why})
    return notes


def caveats(comparison: Comparison) -> dict[str, list[Note]]:
    """Part -> why its scores say little; every run was measured on the same rows."""
    measured = [run.predictions for run in comparison.runs if run.predictions]
    if not measured:
        return {part: [] for part in PARTS}
    target = comparison.task.target
    return {
        part: [*of_part(name, measured[0][part], target), *heavy_tails(name, [one[part] for one in measured])]
        if target.is_numeric
        else of_part(name, measured[0][part], target)
        for part, name in PARTS.items()
    }


def heavy_tails(name: str, runs: Sequence[Predictions]) -> list[Note]:
    """A note where a few rows make most of a run's squared error: one more would change RMSE and R²."""
    shares = []
    for run in runs:
        squares = np.sort((run.truth - run.predictions[:, 0])[~run.invalid] ** 2)
        if len(squares) and squares[-1] > 0:
            shares.append(float(squares[-int(np.ceil(TAIL * len(squares))) :].sum() / squares.sum()))
    if not shares or max(shares) <= HEAVY:
        return []
    why = (
        f"{name}: {TAIL:.0%} of the rows make {max(shares):.0%} of the squared error, so the intervals of "
        "rmse and r2 are too narrow: read mae"
    )
    return [{"level": "warning", "code": "heavy_tails", "message": why}]


def of_part(name: str, part: Predictions, target: Target) -> list[Note]:
    rows, notes = len(part.truth), []
    if rows < FEW_ROWS:
        some = "one row" if rows == 1 else f"{rows} rows"
        why = f"{name} has {some}: one row moves a share by {1 / rows:.0%}, so scores are mostly chance"
        notes.append({"level": "warning", "code": "few_rows", "message": why})
    groups = rows if part.groups is None else len(np.unique(part.groups))
    if part.groups is not None and groups < FEW_GROUPS:
        some = "one group" if groups == 1 else f"{groups} groups"
        why = f"{name} has {some}: intervals over fewer than {FEW_GROUPS} groups are rough"
        notes.append({"level": "warning", "code": "few_groups", "message": why})
    counts = _rows_of_labels(part, target)
    if missing := [target.labels[k] for k in np.flatnonzero(counts == 0)]:
        some = f"{_some(missing, 'has', 'have')} no {name} row ({_named(missing)})"
        why = f"{some}: macro means leave out what is neither true nor predicted"
        notes.append({"level": "warning", "code": "label_without_rows", "message": why})
    if few := [target.labels[k] for k in np.flatnonzero((counts > 0) & (counts < FEW_OF_LABEL))]:
        some = f"{_some(few, 'has', 'have')} fewer than {FEW_OF_LABEL} {name} rows ({_named(few)})"
        why = f"{some}: scores by label and macro means are uncertain, and their intervals rough"
        notes.append({"level": "warning", "code": "label_with_few_rows", "message": why})
    return notes


def _some(labels: Sequence[str], one: str, several: str) -> str:
    """1 label has, 1,200 labels have"""
    return f"1 label {one}" if len(labels) == 1 else f"{len(labels):,} labels {several}"


def _named(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return ", ".join(human.short(label) for label in labels[:NAMED]) + more


def _rows_of_labels(part: Predictions, target: Target) -> Any:
    """(K,); empty of numbers."""
    if target.is_numeric:
        return np.zeros(0)
    if target.several_labels:
        return part.truth.sum(axis=0)
    return np.bincount(part.truth, minlength=len(target.labels))


def lines(board: Board, *, at_most: int = SHOWN) -> list[tuple[str, str]]:
    """(level, line) for each to show above the board, in order; the last one counts those left out."""
    warnings, caveats = board.get("warnings", ()), board.get("caveats") or {}  # not in boards of 0.6.0
    starred = {one["message"] for part in caveats.values() for one in part}
    found = [
        (
            one["level"],
            f"{'* ' * (one['message'] in starred)}{one['level']}: {human.short(one['message'], 300)}",
        )
        for one in warnings
    ]
    errors = sum(one["level"] == "error" for one in warnings)
    if board.get("anyway"):
        some = f"{errors} error{'s' * (errors != 1)}"
        found.insert(
            0, ("error", f"went on with --anyway: the data check found {some}, so scores may mislead")
        )
    if len(found) > at_most:
        left = len(found) - at_most + 1
        found = [*found[: at_most - 1], ("warning", f"and {left} more; leaderboard.json has all")]
    return found


def star(board: Board, part: str) -> str:
    """What stands behind the names of a part's scores: a star where there is something to know of them."""
    return "*" if (board.get("caveats") or {}).get(part) else ""
