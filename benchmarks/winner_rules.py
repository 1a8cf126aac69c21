"""Which rule takes the best winner? Finished comparisons, each rule's winner, and what it gives up on test.

    python benchmarks/winner_rules.py OUT [OUT ...]

A rule is how far behind the best a row may be on validation to win by its cost: so many standard errors of
the paired difference, or anywhere in the tied set. What is given up: the best row's test score, which nobody
can know, less the winner's; seconds: to train the winner and to answer 1,000 texts with it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from stratune.evaluate.confidence_set import ALPHA, confidence_set
from stratune.report.comparison import load
from stratune.report.measured import measure
from stratune.report.verdict import seconds, winner

RULES = {"the best": 0.0, "half an error": 0.5, "one error": 1.0, "1.5 errors": 1.5, "the tied set": np.inf}


def rows_of(out: Path, resamples: int = 1000):
    """Ranked rows of a comparison; each has `behind`, in standard errors, on validation, and a signed test score."""
    comparison = load(out)
    selection = comparison.task.selection
    board = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))
    ranked = {(row["strategy"], row["backbone"]): row for row in board["rows"] if row["rank"]}
    entries = [entry for entry in comparison.entries() if (entry.strategy, entry.backbone) in ranked]
    found = [measure(entry, "val", comparison, resamples).measured for entry in entries]
    points = np.array([selection.sign * one.replicates.value(selection.metric) for one in found])
    drawn = np.stack([selection.sign * one.replicates.over_seeds(selection.metric) for one in found])
    units = min(one.replicates.units for one in found)
    tied = confidence_set(points, drawn, units) >= ALPHA
    error = np.nanstd(drawn - drawn[np.argmax(points)], axis=1) * np.sqrt(units / (units - 1))
    rows = []
    for i, entry in enumerate(entries):
        row = ranked[entry.strategy, entry.backbone]
        gap = points.max() - points[i]
        behind = 0.0 if gap == 0 else gap / error[i] if error[i] else np.inf
        score = selection.sign * row["test"][selection.metric]["value"]
        rows.append({**row, "tied": bool(tied[i]), "behind": behind, "score": score, "points": points[i]})
    return sorted(rows, key=lambda row: -row["points"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", nargs="+", type=Path, help="folders of finished comparisons")
    asked = parser.parse_args()
    lost = {rule: [] for rule in RULES}
    cost = {rule: [] for rule in RULES}
    for out in asked.out:
        rows = rows_of(out)
        best = max(row["score"] for row in rows)
        for rule, most in RULES.items():
            for row in rows:
                row["near"] = row["tied"] and row["behind"] <= most
            won = winner(rows, "seconds")
            lost[rule].append(best - won["score"])
            cost[rule].append(seconds(won))
        print(
            f"{out.name}: " + ", ".join(f"{rule} -{values[-1]:.3f}" for rule, values in lost.items()),
            file=sys.stderr,
        )
    print(
        f"| of {len(asked.out)} comparisons, the winner is the cheapest within | given up on test, mean | seconds, all |"
    )
    print("|---|---:|---:|")
    for rule in RULES:
        print(f"| {rule} | {np.mean(lost[rule]):.4f} | {sum(cost[rule]):,.0f} |")


if __name__ == "__main__":
    main()
