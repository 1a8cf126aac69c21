"""Intraclass correlation: the share of the ratings' variance that is due to the rows (Shrout, Fleiss 1979).

| name  | raters                                     | an error is                                |
|-------|--------------------------------------------|--------------------------------------------|
| icc1  | others for every row, or nobody knows who  | any difference within a row                |
| icc2  | the same for every row, drawn from many    | any difference, a rater's leniency as well |
| icc3  | the same for every row, and only these     | what a rater's leniency does not explain   |

Each is of one rating; with a `k` behind it, of the mean of the ratings of a row. icc2 and icc3 need raters
that can be told apart and have all rated every row. icc1 takes any number of ratings of a row; k is then the
average number in the sense of the analysis of variance, (n - Σ mᵢ²/n) / (N - 1) for n ratings, mᵢ of row i.
Intervals come from resampled rows: ratings on five levels are not normal, so F would promise too much.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.intervals import Interval, bootstrap


def icc(
    ratings: Floats,
    *,
    identified: bool = True,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Ratings (N, R), NaN where missing -> icc1, icc1k and, where they make sense, icc2 to icc3k.

    `identified`: each column is one rater. A row without ratings is left out. What is undefined is not in the
    answer: everything where ratings do not differ, or where no row has two.
    """
    ratings = np.asarray(ratings, dtype=np.float64)
    if not np.isfinite(ratings).any():
        return {}
    scorers: list[OneWay | TwoWay] = [OneWay(ratings)]
    if identified and ratings.shape[1] > 1 and np.isfinite(ratings).all():
        scorers.append(TwoWay(ratings))
    found: dict[str, Interval] = {}
    for one in scorers:
        found |= bootstrap([one], len(ratings), groups=groups, resamples=resamples, seed=seed)
    return found


class OneWay:
    """Ratings (N, R) with gaps. What a row adds to the sums is computed once."""

    def __init__(self, ratings: Floats) -> None:
        there = np.isfinite(ratings)
        centred = np.where(
            there, ratings - np.nanmedian(ratings), 0.0
        )  # squares of large numbers would cancel
        count, total = there.sum(axis=1).astype(np.float64), centred.sum(axis=1)
        between = np.divide(total**2, count, out=np.zeros_like(total), where=count > 0)
        # (6, N): rated or not, mᵢ, mᵢ², Σx, (Σx)²/mᵢ, Σx²
        self.sums = np.stack([count > 0, count, count**2, total, between, (centred**2).sum(axis=1)])

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> icc1, icc1k (R,); NaN where undefined."""
        rows, count, squared, total, between, squares = self.sums @ weights
        with np.errstate(divide="ignore", invalid="ignore"):
            among = np.maximum(between - total**2 / count, 0.0) / (rows - 1)
            within = np.maximum(squares - between, 0.0) / (count - rows)
            k = (count - squared / count) / (rows - 1)
            return {
                "icc1": (among - within) / (among + (k - 1) * within),
                "icc1k": _of_means(among - within, among),
            }


class TwoWay:
    """Ratings (N, R) without gaps, each column one rater."""

    def __init__(self, ratings: Floats) -> None:
        self.ratings = ratings - np.median(ratings)
        self.k = ratings.shape[1]

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> icc2, icc2k, icc3, icc3k (R,); NaN where undefined."""
        k, rows = self.k, weights.sum(axis=0)
        columns = self.ratings.T @ weights  # (k, R): each rater's sum
        grand = columns.sum(axis=0) ** 2 / (rows * k)
        squares = (self.ratings**2).sum(axis=1) @ weights - grand
        of_rows = (self.ratings.sum(axis=1) ** 2 / k) @ weights - grand
        of_raters = (columns**2).sum(axis=0) / rows - grand
        with np.errstate(divide="ignore", invalid="ignore"):
            among = np.maximum(of_rows, 0.0) / (rows - 1)
            raters = np.maximum(of_raters, 0.0) / (k - 1)
            error = np.maximum(squares - of_rows - of_raters, 0.0) / ((rows - 1) * (k - 1))
            lenient = (raters - error) / rows
            true = among - error
            return {
                "icc2": true / (among + (k - 1) * error + k * lenient),
                "icc2k": _of_means(true, among + lenient),
                "icc3": true / (among + (k - 1) * error),
                "icc3k": _of_means(true, among),
            }


def _of_means(true: Floats, whole: Floats) -> Floats:
    """Reliability of a mean has no lower end; where rows do not differ, but for rounding, it is undefined."""
    return np.where(whole > 1e-12 * np.abs(true), true / whole, np.nan)
