"""How often a 95 % interval holds the truth: the table of docs/statistics.md, from simulated test sets.

    python benchmarks/coverage.py --simulations 400 --seed 0

A cell simulates answers whose true score is known (from a formula, or from a million rows), asks for the
interval as a comparison does, and counts. At least 93 % of a cell's intervals should hold the truth, give or take
the sampling error of so few simulations, or the board should warn of such a part: the warning is looked for in
each simulation. Prints Markdown; exits with 1 where a cell covers less and does not warn.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stratune.data.predictions import Predictions
from stratune.report.caveats import heavy_tails, of_part
from stratune.target import target_of

RESAMPLES = 400
WHOLE = 1_000_000
LABELS = tuple("abcdefgh")
ONE_SEED = "one seed, spread of 4.2 points"


@dataclass(frozen=True)
class Cell:
    """`draw(rng, rows)` gives truth, predictions (S, N, C), and groups or None."""

    name: str
    metrics: tuple[str, ...]
    rows: int
    draw: Callable
    kind: str = "classification"
    labels: tuple[str, ...] = LABELS[:2]


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def answers(labels, shares, right):
    """Labels drawn by their shares, answered rightly in `right` of the rows; a mistake is any other label."""

    def draw(rng, rows):
        truth = rng.choice(len(labels), rows, p=shares)
        wrong = (truth + rng.integers(1, len(labels), rows)) % len(labels)
        guess = np.where(rng.random(rows) < right, truth, wrong)
        return truth, np.eye(len(labels))[guess][None] * 0.9 + 0.1 / len(labels), None

    return draw


def scored(distance, count=2):
    """Normal scores: the true label's is `distance` higher."""

    def draw(rng, rows):
        truth = rng.integers(0, count, rows)
        logits = rng.normal(size=(rows, count)) * math.sqrt(0.5) + distance * np.eye(count)[truth]
        return truth, softmax(1.5 * logits)[None], None

    return draw


def ratings(rng, rows):
    """Five levels, answered from the same quantity with noise."""
    quantity = rng.normal(size=rows)
    truth = np.clip(np.round(quantity + 2), 0, 4).astype(int)
    seen = quantity + rng.normal(size=rows) * 0.7 + 2
    return truth, softmax(-((seen[:, None] - np.arange(5)) ** 2))[None], None


def numbers(error):
    def draw(rng, rows):
        truth = rng.normal(size=rows)
        return truth, (0.8 * truth + 0.6 * error(rng, rows))[None, :, None], None

    return draw


def normal(rng, rows):
    return rng.normal(size=rows)


def heavy(rng, rows):
    return rng.standard_t(3, size=rows)


def of_groups(count, right, alike):
    """Right answers of groups that are alike: intra-group correlation `alike` (beta-binomial)."""

    def draw(rng, rows):
        strength = (1 - alike) / alike
        chance = rng.beta(right * strength, (1 - right) * strength, count)
        groups = np.repeat(np.arange(count), rows // count)
        truth = rng.integers(0, 2, rows)
        guess = np.where(rng.random(rows) < chance[groups], truth, 1 - truth)
        return truth, np.eye(2)[guess][None], groups

    return draw


def of_seeds(count, right, spread, own):
    """Accuracy of seeds: `spread` is that of their true accuracies, `own` the share of rows each draws anew."""

    def draw(rng, rows):
        truth, hard = rng.integers(0, 2, rows), rng.random(rows)
        found = []
        for chance in np.clip(right + spread * rng.normal(size=count), 0, 1):
            luck = np.where(rng.random(rows) < own, rng.random(rows), hard)
            found.append(np.eye(2)[np.where(luck < chance, truth, 1 - truth)])
        return truth, np.stack(found), None

    return draw


def spread_alone(count, right, spread):
    """The rows are all that there are: exactly so many are right, and only seeds differ."""

    def draw(rng, rows):
        truth = np.arange(rows) % 2
        found = []
        for chance in right + spread * rng.normal(size=count):
            wrong = np.arange(rows) >= round(chance * rows)
            found.append(np.eye(2)[np.where(wrong, 1 - truth, truth)])
        return truth, np.stack(found), None

    return draw


def cells():
    rare = (0.45, 0.45, 0.03, 0.025, 0.025, 0.02)
    six = {"labels": LABELS[:6]}
    for right in (0.99, 0.8):
        for rows in (30, 100, 600):
            yield Cell(f"{right:.0%} of rows right", ("accuracy",), rows, answers(LABELS[:2], None, right))
    for rows in (30, 100, 600):
        found = ("f1_macro", "recall_macro", "f1[b]")
        yield Cell("six labels, balanced", found, rows, answers(LABELS[:6], None, 0.8), **six)
    for rows in (30, 100, 600):
        yield Cell("six labels, four of 2 to 3 %", ("f1_macro",), rows, answers(LABELS[:6], rare, 0.8), **six)
    for area, distance in ((0.998, 2.878), (0.8, 0.8416)):
        for rows in (30, 100, 600):
            # two logits, each with half the variance: their difference has the distance 2 d, and spread 1
            yield Cell(f"true area {area}", ("roc_auc",), rows, scored(distance / math.sqrt(2)))
    for rows in (30, 100, 600):
        found = ("pr_auc", "log_loss", "mcc")
        yield Cell("normal scores", found, rows, scored(0.8))
    yield Cell("three labels, normal scores", ("roc_auc", "pr_auc"), 100, scored(0.8, 3), labels=LABELS[:3])
    for rows in (30, 100, 600):
        yield Cell("five levels", ("qwk", "mae_levels"), rows, ratings, kind="ordinal", labels=LABELS[:5])
    for rows in (30, 100, 600):
        found = ("rmse", "mae", "r2", "pearson", "spearman")
        yield Cell("normal errors", found, rows, numbers(normal), kind="regression", labels=())
    for rows in (30, 100, 600):
        name = "heavy tails (t, 3 degrees)"
        yield Cell(name, ("rmse", "mae"), rows, numbers(heavy), kind="regression", labels=())
    for count in (5, 10, 40):
        name = f"{count} groups of 15 rows, correlation 0.2"
        yield Cell(name, ("accuracy", "f1_macro"), 15 * count, of_groups(count, 0.8, 0.2))
    yield Cell("three seeds, nothing else varies", ("accuracy",), 10_000, spread_alone(3, 0.8, 0.02))
    yield Cell("three seeds, spread of 2 points", ("accuracy",), 600, of_seeds(3, 0.8, 0.02, 0.3))
    yield Cell("three seeds that answer alike", ("accuracy",), 600, of_seeds(3, 0.8, 0.0, 0.0))
    yield Cell(ONE_SEED, ("accuracy",), 600, of_seeds(1, 0.8, 0.042, 0.0))


def truths(cell, seed):
    """The true score of each metric: 0.8 where groups or seeds differ around it, else that of a million rows."""
    target = target_of(cell.kind, cell.labels)
    if "group" in cell.name or "seed" in cell.name:
        return dict.fromkeys(cell.metrics, 0.8)
    truth, predictions, _ = cell.draw(np.random.default_rng([seed, WHOLE]), WHOLE)
    return target.score(truth, predictions[0])


def measure(cell, simulations, seed):
    """Metric -> (N, 3): whether the truth lies inside, whether the board warns, and how wide the interval is."""
    target, true_scores = target_of(cell.kind, cell.labels), truths(cell, seed)
    found = {metric: [] for metric in cell.metrics}
    for number in range(simulations):
        rng = np.random.default_rng([seed, number, zlib.crc32(cell.name.encode()), cell.rows])
        truth, predictions, groups = cell.draw(rng, cell.rows)
        intervals = target.intervals(truth, predictions, groups=groups, resamples=RESAMPLES, seed=number)
        warns = warned(truth, predictions[0], groups, target)
        for metric in cell.metrics:
            if metric in intervals:
                one = intervals[metric]
                inside = one.low - 1e-12 <= true_scores[metric] <= one.high + 1e-12
                told = warns and (metric in ("rmse", "r2") or not target.is_numeric)
                found[metric].append((inside, told, one.high - one.low))
    return {metric: np.array(rows, dtype=float) for metric, rows in found.items()}


def warned(truth, predictions, groups, target):
    """Whether the board would warn of such a part."""
    nothing = np.zeros(len(truth), int)
    part = Predictions(truth, predictions, nothing > 0, truth, nothing, groups=groups)
    tails = heavy_tails("test", [part]) if target.is_numeric else []
    return bool(of_part("test", part, target) or tails)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="metrics or names of cells that hold this text")
    options = parser.parse_args()
    started, wrong = time.perf_counter(), []
    least = 93 - 200 * math.sqrt(0.05 * 0.95 / options.simulations)  # two standard errors, in points
    print("| what is simulated | metric | test rows | covers | mean width | |")
    print("|---|---|---|---|---|---|")
    for cell in cells():
        if options.only not in f"{cell.name} {' '.join(cell.metrics)}":
            continue
        for metric, rows in measure(cell, options.simulations, options.seed).items():
            inside, told, width = rows.mean(axis=0)
            note = f"warns in {told:.0%}" if told > 0.02 else ""
            if cell.name == ONE_SEED:
                note = 'says "one seed; intervals over rows"'
            elif 100 * inside < least and told < 0.5:
                wrong.append(f"{cell.name}, {metric}, {cell.rows} rows: {100 * inside:.1f} %")
            print(
                f"| {cell.name} | {metric} | {cell.rows:,} | {100 * inside:.1f} % | {width:.3f} | {note} |",
                flush=True,
            )
    print(
        f"\n{options.simulations} simulations a cell, {time.perf_counter() - started:.0f} s", file=sys.stderr
    )
    for line in wrong:
        print(f"covers too little: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
