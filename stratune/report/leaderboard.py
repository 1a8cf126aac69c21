"""The leaderboard: ranked by the mean validation metric over seeds; test is reported, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stratune.data.predictions import PARTS
from stratune.evaluate.scoring import mean_of_shared
from stratune.files import write_json, write_text
from stratune.report import (
    attack,
    caveats,
    conformal,
    distribution,
    evaluations,
    fairness,
    people,
    robustness,
    sizes,
    slices,
    transfer,
)
from stratune.report.comparison import Comparison, Entry
from stratune.report.measured import Part, measure
from stratune.report.pairs import pairs_of
from stratune.report.tables import compared_metrics, to_csv, to_markdown
from stratune.report.verdict import DEFAULT_PREFER, asking, standing, verdict
from stratune.result import RunResult
from stratune.target.within_folds import why_undefined_within

Board = dict[str, Any]
Row = dict[str, Any]

# costs that are whole numbers stay whole as means over seeds
_COUNTS = ("trainable_params", "total_params", "examples_seen", "peak_bytes", "artifact_bytes", "trials")
_RATES = ("train_seconds", "train_rows_per_second", "predict_rows_per_second", "invalid", "label_mass")


_NOTHING: Row = {"val_intervals": {}, "test": {}}

FILES = ("leaderboard.json", "leaderboard.csv", "leaderboard.md")


def save(out: Path, board: Board) -> None:
    """Write OUT/leaderboard.json, .csv and .md, each whole or not at all."""
    texts = to_csv(board), to_markdown(board)  # before the first is written
    write_json(out / FILES[0], board)
    for name, text in zip(FILES[1:], texts, strict=True):
        write_text(out / name, text)


def build(comparison: Comparison, *, resamples: int = 2000) -> Board:
    """leaderboard.json as a dict: best first, then rows without a validation value, then failed ones."""
    selection = comparison.task.selection
    entries = comparison.entries()
    parts = [_parts(entry, comparison, resamples) for entry in entries]
    rows = [_row(entry, part, comparison, resamples) for entry, part in zip(entries, parts, strict=True)]
    defined = [i for i, row in enumerate(rows) if selection.value(row["val"]) is not None]
    order = selection.ordered(defined, lambda i: rows[i]["val"])
    for rank, i in enumerate(order, start=1):
        rows[i]["rank"] = rank
    unranked = [row for row in rows if row["rank"] is None]
    unranked.sort(key=lambda row: row["status"] != "ok")
    ranked = [rows[i] for i in order]
    agreement = people.of_raters(comparison, resamples)
    budget = comparison.config.get("budget")
    decided = _decided(comparison, ranked, [parts[i] for i in order])  # the rows know who won from here
    beside = [(rows[i], entries[i]) for i in order]
    return {
        "task": comparison.task.to_dict(),
        "metric": selection.metric,
        "split": {**comparison.sizes, "fingerprint": comparison.fingerprint},
        "budget": {"trials": 1, **budget} if budget else budget,
        **caveats.of_board(comparison),
        **({"people": agreement} if agreement else {}),
        **distribution.of_board(comparison, [entries[i] for i in order], ranked, resamples),
        **({"set_aside": comparison.set_aside} if comparison.set_aside else {}),
        **decided,
        "slices": slices.of_board(comparison, beside, resamples),
        "fairness": fairness.of_board(comparison, beside, resamples),
        "rows": ranked + unranked,
        **sizes.of_board(comparison),
        **transfer.of_board(comparison),
        **evaluations.of_board(comparison),
    }


def _parts(entry: Entry, comparison: Comparison, resamples: int) -> dict[str, Part]:
    return {part: measure(entry, part, comparison, resamples) for part in PARTS} if entry.ok else {}


def _decided(comparison: Comparison, ranked: Sequence[Row], parts: Sequence[dict[str, Part]]) -> Board:
    """`pairs` and `verdict` of the board; the rows get to know how they stand."""
    if not ranked:
        return {"verdict": None, "pairs": {part: [] for part in PARTS}}
    task, prefer = comparison.task, comparison.config.get("prefer") or DEFAULT_PREFER
    metrics = compared_metrics(task)
    pairs = {name: pairs_of([part[name].measured for part in parts], metrics) for name in PARTS}
    flattery = standing(ranked, [part["val"].measured for part in parts], task.selection)
    next_step = asking(comparison.out, task, transcripts=comparison.of_transcripts)
    rows = comparison.sizes
    found = verdict(ranked, pairs["test"], task.selection, rows, prefer, flattery, next_step)
    return {"verdict": found, "pairs": pairs}


def _row(entry: Entry, parts: dict[str, Part], comparison: Comparison, resamples: int) -> Row:
    ok = [run.result for run in entry.ok]
    costs = {name: _mean([getattr(result, name) for result in ok]) for name in (*_COUNTS, *_RATES)}
    return {
        "rank": None,
        "strategy": entry.strategy,
        "backbone": entry.backbone,
        "seeds": [result.seed for result in ok],
        "status": "ok" if ok else "failed",
        "error": _error([run.result for run in entry.runs]),
        **_unranked(entry, comparison),
        "val": mean_of_shared([result.val for result in ok]),
        **({"val_intervals": parts["val"].to_dict(), "test": parts["test"].to_dict()} if ok else _NOTHING),
        **_kind(entry),
        **people.of_entry(entry, comparison.task, resamples),
        **conformal.of_entry(entry, comparison.task),
        **robustness.of_entry(entry, comparison),
        **attack.of_entry(entry, comparison),
        **{
            name: round(mean) if name in _COUNTS and mean is not None else mean
            for name, mean in costs.items()
        },
        "precision": ", ".join(sorted({result.precision for result in ok if result.precision})) or None,
        "tried": next((result.tried for result in ok if result.tried), None),
        "price": _mean([result.price for result in ok]),
        "first": None,
        "tied": False,
        "near": False,
        "winner": False,
    }


def _kind(entry: Entry) -> dict[str, bool]:
    """Whether it uses no language model, and whether its answers have nothing to do with the text."""
    strategy = entry.runs[0].result.settings.get("strategy") or {}
    floor = any(run.result.floor for run in entry.runs)
    return {"baseline": entry.backbone is None and "of" not in strategy, "floor": floor}


def _unranked(entry: Entry, comparison: Comparison) -> dict[str, str]:
    """`unranked`: why a row that did not fail has no rank, its metric being undefined on validation."""
    task, folds = comparison.task, comparison.folds
    for run in entry.ok:
        if task.selection.value(run.result.val) is None:
            if run.result.certain:
                return {"unranked": f"its answers are 1 and 0, and {task.metric} is of probabilities"}
            part = run.predictions["val"]
            why = why_undefined_within(folds, task.target, task.metric, part.truth, part.predictions)
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
