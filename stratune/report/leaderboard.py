"""The leaderboard: ranked by the mean validation metric over seeds; test is reported, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stratune.evaluate.scoring import mean_of_shared
from stratune.files import write_json, write_text
from stratune.report import caveats, people
from stratune.report.comparison import Comparison, Entry
from stratune.report.tables import to_csv, to_markdown
from stratune.result import RunResult
from stratune.task import Task

Board = dict[str, Any]
Row = dict[str, Any]

# costs that are whole numbers stay whole as means over seeds
_COUNTS = ("trainable_params", "total_params", "examples_seen", "peak_bytes", "artifact_bytes", "trials")
_RATES = ("train_seconds", "train_rows_per_second", "predict_rows_per_second", "invalid")


FILES = ("leaderboard.json", "leaderboard.csv", "leaderboard.md")


def save(out: Path, board: Board) -> None:
    """Write OUT/leaderboard.json, .csv and .md, each whole or not at all."""
    write_json(out / FILES[0], board)
    write_text(out / FILES[1], to_csv(board))
    write_text(out / FILES[2], to_markdown(board))


def build(comparison: Comparison, *, resamples: int = 2000) -> Board:
    """leaderboard.json as a dict: best first, then rows without a validation value, then failed ones."""
    selection = comparison.task.selection
    rows = [_row(entry, comparison, resamples) for entry in comparison.entries()]
    defined = [row for row in rows if selection.value(row["val"]) is not None]
    ranked = selection.ordered(defined, lambda row: row["val"])
    unranked = [row for row in rows if row not in ranked]
    unranked.sort(key=lambda row: row["status"] != "ok")
    for rank, row in enumerate(ranked, start=1):
        row["rank"] = rank
    agreement = people.of_raters(comparison, resamples)
    budget = comparison.config.get("budget")
    return {
        "task": comparison.task.to_dict(),
        "metric": selection.metric,
        "split": {**comparison.sizes, "fingerprint": comparison.fingerprint},
        "budget": {**budget, "trials": 1} if budget else budget,  # one setting of each strategy is tried
        **caveats.of_board(comparison),
        **({"people": agreement} if agreement else {}),
        **({"set_aside": comparison.set_aside} if comparison.set_aside else {}),
        "rows": ranked + unranked,
    }


def _row(entry: Entry, comparison: Comparison, resamples: int) -> Row:
    ok = [run.result for run in entry.ok]
    costs = {name: _mean([getattr(result, name) for result in ok]) for name in (*_COUNTS, *_RATES)}
    return {
        "rank": None,
        "strategy": entry.strategy,
        "backbone": entry.backbone,
        "seeds": [result.seed for result in ok],
        "status": "ok" if ok else "failed",
        "error": _error([run.result for run in entry.runs]),
        **_unranked(entry, comparison.task),
        "val": mean_of_shared([result.val for result in ok]),
        "test": _test(entry, comparison, resamples) if ok else {},
        **people.of_entry(entry, comparison.task, resamples),
        **{
            name: round(mean) if name in _COUNTS and mean is not None else mean
            for name, mean in costs.items()
        },
        "precision": ", ".join(sorted({result.precision for result in ok if result.precision})) or None,
    }


def _test(entry: Entry, comparison: Comparison, resamples: int) -> dict[str, dict[str, float]]:
    parts = [run.predictions["test"] for run in entry.ok]
    intervals = comparison.task.target.intervals(
        parts[0].truth,
        np.stack([part.predictions for part in parts]),
        np.stack([part.invalid for part in parts]),
        groups=parts[0].groups,
        resamples=resamples,
    )
    return {name: interval.to_dict() for name, interval in intervals.items()}


def _unranked(entry: Entry, task: Task) -> dict[str, str]:
    """`unranked`: why a row that did not fail has no rank, its metric being undefined on validation."""
    for run in entry.ok:
        if task.selection.value(run.result.val) is None:
            part = run.predictions["val"]
            why = task.target.why_undefined(task.metric, part.truth, part.predictions, "validation")
            return {"unranked": why}
    return {}


def _error(results: Sequence[RunResult]) -> str | None:
    """Why seeds failed, each reason once: `seeds 0, 2: out of memory`; the reason alone when all did."""
    seeds: dict[str, list[int]] = {}
    for result in results:
        if result.status == "failed":
            seeds.setdefault(result.error or "no reason was recorded", []).append(result.seed)
    if len(seeds) == 1 and len(next(iter(seeds.values()))) == len(results):
        return next(iter(seeds))
    reasons = [
        f"seed{'s' * (len(which) > 1)} {', '.join(map(str, which))}: {reason}"
        for reason, which in seeds.items()
    ]
    return "; ".join(reasons) or None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
