"""The verdict: which row to use, which cannot be told from the best, and what the rows can show at all.

Validation decides. The tied set holds the rows that cannot be told from the best one there
(evaluate/confidence_set.py). Not every one of them may win: with few rows the set is wide, and the cheapest
of it is mostly worse. The winner is the cheapest of those within one standard error of the best, by the cost
that the user names with `prefer`, or the best itself. Costs are measured, so those within a quarter of the
least count as equal, and of these the better row wins. Floors, whose answers have nothing to do with the
text, win only where nothing else is left. Test is read after that: what is said of it is in sentence.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stratune.evaluate.confidence_set import ALPHA, confidence_set, first_shares, near_best, optimism
from stratune.evaluate.paired import Measured
from stratune.evaluate.selection import Selection
from stratune.report.pairs import Pair
from stratune.report.sentence import Sentence, visible
from stratune.task import Task

Row = dict[str, Any]

ALIKE = 1.25  # costs within this factor are not told apart
ANSWERS = 1000  # texts whose answering counts as a cost beside training


def seconds(row: Row) -> float | None:
    """To train, and to answer ANSWERS texts."""
    if row["train_seconds"] is None or not row["predict_rows_per_second"]:
        return None
    return float(row["train_seconds"] + ANSWERS / row["predict_rows_per_second"])


COSTS: dict[str, Callable[[Row], float | None]] = {
    "seconds": seconds,
    "memory": lambda row: row["peak_bytes"],
    "bytes": lambda row: row["artifact_bytes"],
    "price": lambda row: row.get("price") or 0.0,  # what no server answered costs nothing
}
PREFER = (*COSTS, "best")
DEFAULT_PREFER = "seconds"


def standing(rows: Sequence[Row], found: Sequence[Measured], selection: Selection) -> float | None:
    """Write into ranked rows how they stand on validation: `first`, `tied`, `near`. Returns the
    optimism.

    `found` are their replicates on validation. Rows whose metric is undefined in every resample are tied:
    nothing speaks against them.
    """
    points = np.array([selection.sign * one.replicates.value(selection.metric) for one in found])
    drawn = np.stack([selection.sign * one.replicates.over_seeds(selection.metric) for one in found])
    units = min(one.replicates.units for one in found)
    tied = confidence_set(points, drawn, units) >= ALPHA
    near = tied & near_best(points, drawn, units)
    for i, (row, share) in enumerate(zip(rows, first_shares(drawn), strict=True)):
        row["first"] = None if np.isnan(share) else float(share)
        row["tied"], row["near"] = bool(tied[i]), bool(near[i])
    flattery = optimism(points, drawn)
    return None if np.isnan(flattery) else flattery


def winner(rows: Sequence[Row], prefer: str) -> Row:
    """Of ranked rows that know how they stand."""
    if prefer == "best":
        return rows[0]
    near = _without_floors(rows, "near") or _without_floors(rows, "tied") or rows[:1]
    costs = [COSTS[prefer](row) for row in near]
    known = [cost for cost in costs if cost is not None]
    if not known:
        return near[0]
    return next(
        row for row, cost in zip(near, costs, strict=True) if cost is not None and cost <= ALIKE * min(known)
    )


def _without_floors(rows: Sequence[Row], standing: str) -> list[Row]:
    return [row for row in rows if row[standing] and not row["floor"]]


def verdict(
    rows: Sequence[Row],
    pairs: Sequence[Pair],
    selection: Selection,
    sizes: dict[str, int],
    prefer: str,
    flattery: float | None,
    command: str,
) -> dict[str, Any]:
    """`verdict` of leaderboard.json, of ranked rows that know how they stand, and `pairs` of test.

    `command`: what the reader types next.
    """
    won = winner(rows, prefer)
    for row in rows:
        row["winner"] = row is won
    costs = {row["rank"]: COSTS[prefer](row) for row in rows} if prefer in COSTS else {}
    return {
        "sentence": str(Sentence(rows, won, pairs, selection, sizes, costs, prefer, flattery)),
        "winner": key(won),
        "best": key(rows[0]),
        "tied": [key(row) for row in rows if row["tied"]],
        "prefer": prefer,
        "optimism": flattery,
        "visible": visible(rows, won, pairs, selection.metric),
        "command": command,
    }


def asking(out: Path, task: Task, *, transcripts: bool) -> str:
    """The command that asks the winner of the comparison in OUT about a text, a pair of them, or a call."""
    texts = '"a text" "its pair"' if task.text_pair else "CALL.vtt" if transcripts else '"a text"'
    return f"stratune predict {shlex.quote(str(out))} {texts}"


def key(row: Row) -> dict[str, Any]:
    return {"strategy": row["strategy"], "backbone": row["backbone"]}
