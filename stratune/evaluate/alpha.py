"""Krippendorff's alpha: 1 - observed / expected disagreement, for any number of raters and any gaps.

Two ratings of one row disagree by (r(a) - r(b))², where r is the rating itself ("interval") or its rank among
all ratings ("ordinal", ties share the middle one); by 1 where they are not the same ("nominal"). A row with
one rating says nothing of agreement and is left out. Krippendorff 2011, "Computing Krippendorff's
alpha-reliability".
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats, ratio
from stratune.evaluate.intervals import Interval, bootstrap

Level = Literal["interval", "ordinal", "nominal"]


def krippendorff_alpha(
    ratings: Floats,
    level: Level = "interval",
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Ratings (N, R), NaN where missing. None where it is undefined: ratings that do not differ, or no row
    with two of them.
    """
    ratings = np.asarray(ratings, dtype=np.float64)
    if not (np.isfinite(ratings).sum(axis=1) > 1).any():
        return None
    scorer = Alpha(ratings, level)
    return bootstrap([scorer], len(ratings), groups=groups, resamples=resamples, seed=seed).get("alpha")


class Alpha:
    """Ratings (N, R), counted once: how often each of G distinct ratings was given to each row."""

    def __init__(self, ratings: Floats, level: Level) -> None:
        from scipy.sparse import csr_array

        there = np.isfinite(ratings)
        there &= (there.sum(axis=1) > 1)[:, None]
        row = np.nonzero(there)[0]
        self.distinct, given = np.unique(ratings[there], return_inverse=True)
        shape = (len(ratings), len(self.distinct))
        self.counts: Any = csr_array((np.ones(len(row)), (row, given)), shape=shape)  # (N, G)
        self.count = there.sum(axis=1).astype(np.float64)  # (N,)
        self.level = level

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> alpha (R,); NaN where undefined.

        The sum of (a - b)² over pairs is mΣa² - (Σa)²: within a row for the observed, over all ratings for
        the expected disagreement. Pairs of a row with m ratings count 1/(m - 1) each.
        """
        given = self.counts.T @ weights  # (G, R)
        total = given.sum(axis=0)
        pairs = np.divide(1.0, self.count - 1, out=np.zeros_like(self.count), where=self.count > 1)
        if self.level == "nominal":
            same = np.asarray((self.counts**2).sum(axis=1)).ravel()
            observed = (pairs * (self.count**2 - same)) @ weights
            expected = total**2 - (given**2).sum(axis=0)
        else:
            scale = self._scale(given)  # (G, R) or (G, 1)
            sums, squares = self.counts @ scale, self.counts @ scale**2  # (N, R) or (N, 1)
            within = self.count[:, None] * squares - sums**2
            observed = (pairs[:, None] * within * weights).sum(axis=0)
            expected = total * (given * scale**2).sum(axis=0) - (given * scale).sum(axis=0) ** 2
        spread = np.where(expected > 1e-12 * total**2, expected, 0.0)
        return {"alpha": 1.0 - (total - 1) * ratio(observed, spread)}

    def _scale(self, given: Floats) -> Floats:
        if self.level == "interval":
            spread = float(np.ptp(self.distinct)) or 1.0
            scale: Floats = ((self.distinct - self.distinct[0]) / spread)[:, None]
            return scale
        ranks: Floats = np.cumsum(given, axis=0) - 0.5 * given  # how many lie below, and half of the equals
        ranks /= np.maximum(given.sum(axis=0), 1.0)
        return ranks
