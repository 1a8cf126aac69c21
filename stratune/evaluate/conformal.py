"""Split-conformal sets: of each row a set of answers that holds the truth as often as was asked for.

How strange the true answer of each validation row looked to the model is a score. Of a new row all answers
are in the set that look no stranger than the share `coverage` of those. When new rows come from where the
validation rows came from, the truth is in the set with at least that probability, whatever the model
(Vovk, Gammerman & Shafer 2005; for labels the score is 1 - probability: Sadinle, Lei & Wasserman 2019, whose
sets are the smallest on average). Each kind of task has its scores and sets: target/.

Rows of one group are alike, so with groups that is true of the average over new groups, and the coverage on a
few groups varies more than a count of rows would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from stratune.errors import ConfigError
from stratune.evaluate.arrays import Floats

MOST = 1000  # scores that are kept; between them the next higher one is taken, which can only cover more


@dataclass(frozen=True)
class Conformal:
    """`scores`, rising, of `rows` validation rows: of many rows every so many-th. Those of rows without a
    valid answer are infinite, and left out at the end.
    """

    rows: int
    scores: tuple[float, ...]

    @classmethod
    def of(cls, scores: Floats) -> Self:
        """Of (N,) scores; NaN where a row has no answer."""
        ordered = np.sort(np.nan_to_num(scores, nan=np.inf))
        kept = ordered[_ranks(len(ordered)) - 1]
        return cls(len(ordered), tuple(map(float, kept[np.isfinite(kept)])))

    def quantile(self, coverage: float) -> float:
        """The score that sets reach up to; infinite where so few rows cannot promise as much.

        Raises ConfigError for what is no share.
        """
        check_coverage(coverage)
        rank = math.ceil((self.rows + 1) * coverage - 1e-9)
        position = int(np.searchsorted(_ranks(self.rows), rank))
        return self.scores[position] if position < len(self.scores) else math.inf


def check_coverage(coverage: float) -> None:
    """Raises ConfigError for what is no share of rows."""
    if not 0 < coverage < 1:
        raise ConfigError(f"{coverage} is not between 0 and 1", key="coverage")


def _ranks(rows: int) -> npt.NDArray[np.int64]:
    """The ranks, from 1, of the scores that are kept of so many rows."""
    kept = min(rows, MOST)
    return (np.arange(1, kept + 1) * rows + kept - 1) // kept  # rounded up
