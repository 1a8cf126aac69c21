"""Rates that are means over some of the rows: the share predicted as a label, error rates, calibration, bias.

`Means` is a scorer of many of them at once, so that intervals and differences are those of every other
metric: Wilson's of a share, BCa's of a mean of numbers, whole groups where there are groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratune.evaluate.arrays import Flags, Floats, ratio
from stratune.evaluate.scoring import Tally


@dataclass(frozen=True)
class Mean:
    """Of `numbers` (N,) over the rows `of` (N,). A share of rows where every number is 0 or 1."""

    name: str
    numbers: Floats
    of: Flags

    @property
    def is_share(self) -> bool:
        return bool(np.isin(self.numbers, (0.0, 1.0)).all())

    def at(self, rows: Flags) -> Mean:
        return Mean(self.name, self.numbers[rows], self.of[rows])


class Means:
    """A scorer of means of the same N rows."""

    def __init__(self, means: list[Mean]) -> None:
        self.means = means

    def values(self, weights: Floats) -> dict[str, Floats]:
        """NaN where no row counts."""
        return {
            one.name: ratio((one.numbers * one.of) @ weights, one.of.astype(np.float64) @ weights)
            for one in self.means
        }

    def tally(self) -> Tally:
        shares = {one.name: float(one.of.sum()) for one in self.means if one.is_share and one.of.any()}
        return Tally(shares, {}, {}, {}, ())


def class_rates(truth: Flags, decided: Flags, labels: tuple[str, ...]) -> list[Mean]:
    """`truth`, `decided` (N, K): which labels a row has, and which it is given. Of each label, the share of
    rows that are given it, and the false positive and false negative rate against all other labels.
    """
    found, every = [], np.ones(len(truth), dtype=bool)
    for k, label in enumerate(labels):
        has, given = truth[:, k].astype(bool), decided[:, k].astype(bool)
        found += [
            Mean(f"predicted[{label}]", given.astype(np.float64), every),
            Mean(f"false_positive[{label}]", given.astype(np.float64), ~has),
            Mean(f"false_negative[{label}]", (~given).astype(np.float64), has),
        ]
    return found
