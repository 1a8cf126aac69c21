"""Models against the shares of the raters on test: do their probabilities say how far people disagree?

`distribution` of leaderboard.json holds how many rows have two raters or more, the mean entropy of their
shares (the cross-entropy of a model that knew them), the paired differences of every two ranked rows, and
`soft`: what learning the shares changed, of each strategy that stands there with hard labels and with soft
ones. `distribution` of a row holds its metrics (evaluate/distribution.py). All are missing where the task
has no labels to share, or test no such rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.evaluate.distribution import METRICS, DistributionScorer, entropy
from stratune.evaluate.intervals import intervals
from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import measured
from stratune.evaluate.replicates import replicates
from stratune.report import human
from stratune.report.measured import Part
from stratune.report.pairs import between, is_clear, pairs_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.data.predictions import Predictions
    from stratune.evaluate.arrays import Floats
    from stratune.report.comparison import Comparison, Entry

Board = dict[str, Any]
LEAST = 2  # raters of a row: the answer of one is no distribution
COMPARED = ("cross_entropy", "jensen_shannon", "distance")
HEADS = {
    "cross_entropy": "cross-entropy",
    "jensen_shannon": "Jensen-Shannon",
    "distance": "distance",
    "entropy_gap": "entropy less theirs",
    "entropy_correlation": "entropy, r",
    "ece": "ECE",
}


@dataclass(frozen=True)
class Shares:
    """`rows`: those of test with raters enough; `shares` (M, K) of their ratings."""

    rows: NDArray[np.intp]
    shares: Floats
    groups: NDArray[np.intp] | None

    @classmethod
    def of(cls, comparison: Comparison) -> Shares | None:
        tests = [run.predictions["test"] for entry in comparison.entries() for run in entry.ok]
        rated = next((one for one in tests if one.ratings is not None), None)
        if rated is None or rated.ratings is None or not comparison.task.target.one_label:
            return None
        labels = np.arange(len(comparison.task.labels))
        counts = (rated.ratings.values[:, :, None] == labels).sum(axis=1)  # (N, K)
        rows = np.flatnonzero(counts.sum(axis=1) >= LEAST)
        if not len(rows):
            return None
        there = counts[rows]
        groups = None if rated.groups is None else rated.groups[rows]
        return cls(rows, there / there.sum(axis=1, keepdims=True), groups)

    def scorer(self, one: Predictions) -> DistributionScorer:
        return DistributionScorer(self.shares, one.predictions[self.rows], one.invalid[self.rows])

    def measure(self, entry: Entry, resamples: int) -> Part | None:
        """None of a row whose answers are 1 and 0: they are no probabilities."""
        if any(run.result.certain for run in entry.ok):
            return None
        scorers = [self.scorer(run.predictions["test"]) for run in entry.ok]
        rows, seeds = len(self.rows), [run.result.seed for run in entry.ok]
        drawn = replicates(scorers, rows, groups=self.groups, resamples=resamples)
        return Part(intervals(drawn), measured(scorers, seeds, drawn, COMPARED, rows, self.groups))


def of_board(comparison: Comparison, ranked: Sequence[Entry], rows: Sequence[Board], resamples: int) -> Board:
    """What to add to the board; `rows`, those of the `ranked` entries, get their own."""
    shares = Shares.of(comparison)
    if shares is None or not ranked:
        return {}
    parts = [shares.measure(entry, resamples) for entry in ranked]
    for row, part in zip(rows, parts, strict=True):
        if part is not None:
            row["distribution"] = part.to_dict()
    known = [i for i, part in enumerate(parts) if part is not None]
    pairs = pairs_of([part.measured for part in parts if part is not None], COMPARED)
    for pair in pairs:
        pair["a"], pair["b"] = known[pair["a"] - 1] + 1, known[pair["b"] - 1] + 1
    found = {
        "rows": len(shares.rows),
        "entropy": float(entropy(shares.shares).mean()),
        "pairs": pairs,
        "soft": _softened(ranked, pairs),
    }
    return {"distribution": found}


def _softened(ranked: Sequence[Entry], pairs: Sequence[Board]) -> list[Board]:
    """Of each metric, soft less plain of every strategy that has both; Holm's p over these."""
    ranks = {_key(entry): rank for rank, entry in enumerate(ranked, start=1)}
    both = [(rank, ranks.get((False, what, where))) for (soft, what, where), rank in ranks.items() if soft]
    found = []
    for metric in COMPARED:
        each = [(a, b, between(pairs, metric, a, b)) for a, b in both if b is not None]
        known = [(a, b, pair) for a, b, pair in each if pair is not None]
        adjusted = holm([pair["p"] for _, _, pair in known])
        for (soft, plain, pair), p in zip(known, adjusted, strict=True):
            kept = {name: pair[name] for name in ("difference", "low", "high", "p")}
            found.append({"soft": soft, "plain": plain, "metric": metric, **kept, "p_adjusted": p})
    return found


def _key(entry: Entry) -> tuple[bool, str, str | None]:
    """(whether it learns soft labels, all else that it is, backbone)."""
    settings = dict(entry.runs[0].result.settings.get("strategy") or {})
    soft = bool(settings.pop("soft_labels", False))
    settings.pop("name", None)
    return soft, json.dumps(settings, sort_keys=True), entry.backbone


def sentences(board: Board) -> list[str]:
    """soft labels are nearer to the raters' shares (cross-entropy): `probe` by 0.031 [.012, .050]; and who
    is farther, and of whom neither is shown.
    """
    names = {row["rank"]: human.plain(row["strategy"]) for row in board["rows"] if row["rank"]}
    said: dict[str, list[str]] = {"nearer to": [], "farther from": [], "": []}
    for one in (board.get("distribution") or {}).get("soft", ()):
        if one["metric"] != "cross_entropy":
            continue
        name, low, high = f"`{names[one['plain']]}`", one["low"], one["high"]
        if not is_clear(one) or low <= 0 <= high:
            said[""].append(f"{name} ({human.difference(one)})")
            continue
        least, most = sorted((abs(low), abs(high)))
        size = human.interval({"value": abs(one["difference"]), "low": least, "high": most})
        said["nearer to" if high < 0 else "farther from"].append(f"{name} by {size}")
    unclear = said.pop("")
    found = [
        f"soft labels are {side} the raters' shares (cross-entropy): {', '.join(which)}"
        for side, which in said.items()
        if which
    ]
    if unclear:
        found.append(f"soft labels are not shown to change the cross-entropy of {', '.join(unclear)}")
    return found


def table(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """Headings and lines for the page; first what a model has that knows the shares. None without them."""
    found = board.get("distribution")
    if not found:
        return None
    best = {"cross_entropy": human.score(found["entropy"]), "entropy_correlation": human.score(1.0)}
    zero = human.score(0.0)
    lines = [["the shares themselves", *(best.get(name, zero) for name in METRICS)]]
    for row in board["rows"]:
        if "distribution" in row:
            name = human.plain(human.entry(row["strategy"], row["backbone"]))
            lines.append([name, *(human.interval(row["distribution"].get(metric)) for metric in METRICS)])
    return ["", *(HEADS[metric] for metric in METRICS)], lines
