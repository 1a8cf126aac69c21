"""python benchmarks/disagreement.py OUT...: how often two rows of a board disagree about what is right.

As a share of what independent errors would give, 2 a (1 - a) at the accuracy a of both: the number behind
`SHARED` in stratune/evaluate/visible.py. Floors are left out. A finished comparison of labels each.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from stratune.report.comparison import load


def shares(out: Path) -> np.ndarray:
    """(pairs,) of the first seed's runs, on test."""
    comparison = load(out)
    right = []
    for entry in comparison.entries():
        if not entry.ok or entry.ok[0].result.floor:
            continue
        found = entry.ok[0].predictions["test"]
        right.append(found.decided == found.truth)
    found = []
    for one, other in combinations(right, 2):
        accuracy = (one.mean() + other.mean()) / 2
        found.append(np.mean(one != other) / (2 * accuracy * (1 - accuracy)))
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="+")
    for out in parser.parse_args().out:
        low, middle, high = np.percentile(shares(out), [25, 50, 75])
        print(f"{out.name}: median {middle:.2f}, middle half {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
