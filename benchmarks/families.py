"""How often claims of a verdict are wrong: simulated comparisons in which all strategies are equally good.

    python benchmarks/families.py [--comparisons 500] [--seed 0]

Each comparison has ten strategies, whose answers to a row go wrong together as those of real models do. A
family is wrong when any of its claims is: a difference with an adjusted p below 0.05 (against the first, which
another part has chosen; of all pairs). The tied set is wrong when the best strategy, here any one that was
named before, is left out of it. Asked: at most 5 % of comparisons. The last columns show what the same rules
see where one strategy is worse by ten points.
Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratune.evaluate.classes import ClassScorer
from stratune.evaluate.confidence_set import ALPHA, confidence_set
from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import Measured, differences, measured
from stratune.evaluate.replicates import replicates

STRATEGIES = 10
RARELY = 5  # one comparison of so many is made again with a strategy that is worse
LABELS = ("no", "yes")


@dataclass(frozen=True)
class Cell:
    """`groups`: how many the rows belong to; `seeds` of each strategy."""

    metric: str
    rows: int
    groups: int | None = None
    seeds: int = 1


CELLS = (
    Cell("accuracy", 100),
    Cell("accuracy", 600),
    Cell("f1_macro", 100),
    Cell("f1_macro", 600),
    Cell("log_loss", 300),
    Cell("f1_macro", 300, groups=40),
    Cell("f1_macro", 300, groups=10),
    Cell("f1_macro", 300, seeds=3),
)


def strategies(cell: Cell, draws: np.random.Generator, *, worse: float = 0.0) -> list[Measured]:
    """Ten strategies of about 0.78 accuracy; the last one has `worse` less margin."""
    truth = draws.integers(0, 2, cell.rows)
    groups = None if cell.groups is None else draws.integers(0, cell.groups, cell.rows)
    hard = draws.normal(size=cell.rows)  # of a row, for every strategy
    found = []
    for k in range(STRATEGIES):
        margin = 1.1 - (worse if k == STRATEGIES - 1 else 0.0) + hard
        if groups is not None and cell.groups is not None:
            margin = margin + 0.6 * draws.normal(size=cell.groups)[groups]  # what it makes of a group
        scorers = []
        for _ in range(cell.seeds):
            luck = 0.1 * draws.normal() if cell.seeds > 1 else 0.0
            logit = (margin + luck + 0.9 * draws.normal(size=cell.rows)) * (2 * truth - 1)
            p = 1 / (1 + np.exp(-logit))
            scorers.append(ClassScorer(truth, np.stack([1 - p, p], axis=1), LABELS))
        drawn = replicates(scorers, cell.rows, groups=groups)
        found.append(measured(scorers, range(cell.seeds), drawn, [cell.metric], cell.rows, groups))
    return found


def claims(cell: Cell, found: list[Measured]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[Any]]:
    """Which others differ from the first, which pairs differ, which strategies are left out of the set."""
    pairs = list(combinations(range(STRATEGIES), 2))
    known = [one for one in differences([(found[a], found[b]) for a, b in pairs], cell.metric) if one]
    p = np.array([one.p for one in known])
    first = np.array([a == 0 for a, _ in pairs])
    sign = -1.0 if cell.metric == "log_loss" else 1.0
    points = sign * np.array([one.replicates.value(cell.metric) for one in found])
    drawn = sign * np.stack([one.replicates.over_seeds(cell.metric) for one in found])
    return (
        np.array(holm(p[first])) < ALPHA,
        np.array(holm(p)) < ALPHA,
        confidence_set(points, drawn, found[0].replicates.units) < ALPHA,
    )


def simulate(cell: Cell, comparisons: int, seed: int) -> list[float]:
    """Shares of comparisons: any claim against the first, any pair, anyone left out; the worse one seen."""
    wrong, seen = np.zeros(3), np.zeros(2)
    for number in range(comparisons):
        draws = np.random.default_rng([seed, number])
        against_first, pairs, left_out = claims(cell, strategies(cell, draws))
        wrong += [against_first.any(), pairs.any(), left_out[0]]
        if number % RARELY == 0:
            first, _, out = claims(cell, strategies(cell, draws, worse=0.65))
            seen += [first[-1], out[-1]]
    return [*(wrong / comparisons), *(seen / -(-comparisons // RARELY))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comparisons", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(
        "| metric | rows | groups | seeds | wrong: against the first | wrong: all pairs | wrong: the best is not in the tied set "
        "| worse one seen: difference | worse one seen: left out of the set |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for cell in CELLS:
        shares = simulate(cell, given.comparisons, given.seed)
        facts = [cell.metric, cell.rows, cell.groups or "none", cell.seeds, *(f"{one:.1%}" for one in shares)]
        print("| " + " | ".join(map(str, facts)) + " |", flush=True)


if __name__ == "__main__":
    main()
