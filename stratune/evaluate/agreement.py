"""How well people agree with each other, and a model with them: the one door to it.

Ratings are (N, R) numbers, of labels their positions, NaN where there is none. icc.py and alpha.py say how
far the ratings of a row go together; ceiling.py what one rater, and a model, reaches against the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stratune.evaluate.alpha import krippendorff_alpha
from stratune.evaluate.arrays import Floats
from stratune.evaluate.ceiling import human_ceiling, with_people
from stratune.evaluate.icc import icc
from stratune.evaluate.raters import LabelRaters, Raters, ValueRaters

__all__ = [
    "LabelRaters",
    "Raters",
    "ValueRaters",
    "human_ceiling",
    "icc",
    "krippendorff_alpha",
    "stacked",
    "with_people",
]


def stacked(ratings: Sequence[Sequence[float | None]]) -> Floats:
    """A list for each row -> (N, R), NaN behind the shorter ones and in place of None."""
    table = np.full((len(ratings), max(map(len, ratings), default=0)), np.nan)
    for row, given in enumerate(ratings):
        table[row, : len(given)] = [np.nan if rating is None else rating for rating in given]
    return table
