"""A scorer of one number a row: its mean is the metric. Shares of rows that did something are one."""

from __future__ import annotations

from dataclasses import dataclass

from stratune.evaluate.arrays import Floats
from stratune.evaluate.scoring import Tally

SHARE = "share"  # of rows that are counted: 0 or 1 each
ACCURACY = "accuracy"  # such a share, whose paired differences have McNemar's p (paired.py)


@dataclass
class RowMean:
    """Of `numbers` (N,), under the `name` of a metric."""

    numbers: Floats
    name: str

    def values(self, weights: Floats) -> dict[str, Floats]:
        return {self.name: self.numbers @ weights / weights.sum(axis=0)}

    def tally(self) -> Tally | None:
        """Rows that are counted have Wilson's interval."""
        shares = {self.name: float(len(self.numbers))}
        return Tally(shares, {}, {}, {}, ()) if self.name in (SHARE, ACCURACY) else None
