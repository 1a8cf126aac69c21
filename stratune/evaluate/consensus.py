"""One answer for each row of ratings: the label most raters gave, a mean, a median, or the likeliest one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.label_agreement import votes_of

NONE = -1
_EQUAL = 1e-9  # probabilities that differ by less are a tie


@dataclass(frozen=True)
class Consensus:
    """`label` (N,): positions, NONE where no label leads. `shares` (N, K): of the ratings, or probabilities;
    NaN in a row without ratings.
    """

    label: npt.NDArray[np.intp]
    shares: Floats

    @property
    def share(self) -> Floats:
        """(N,) of the label that leads, or of those that lead together."""
        return np.asarray(self.shares.max(axis=1))

    @property
    def rated(self) -> npt.NDArray[np.bool_]:
        return np.asarray(~np.isnan(self.shares[:, 0]))

    @property
    def tied(self) -> npt.NDArray[np.bool_]:
        """(N,) rows with ratings of which no label leads."""
        return np.asarray((self.label == NONE) & self.rated)


def majority(ratings: Floats, label_count: int) -> Consensus:
    """Ratings (N, R), label positions, NaN where missing."""
    votes = votes_of(ratings, label_count)
    count = votes.sum(axis=1, keepdims=True)
    return leading(np.where(count > 0, votes / np.maximum(count, 1.0), np.nan))


def leading(shares: Floats) -> Consensus:
    """The label with the largest of a row's shares (N, K)."""
    known = ~np.isnan(shares[:, 0])
    filled = np.where(known[:, None], shares, 0.0)
    first = filled >= filled.max(axis=1, keepdims=True) - _EQUAL
    label = np.where(known & (first.sum(axis=1) == 1), filled.argmax(axis=1), NONE)
    return Consensus(label, shares)


def mean(ratings: Floats) -> Floats:
    """(N, R) -> (N,); NaN in a row without ratings."""
    there = np.isfinite(ratings)
    count = there.sum(axis=1)
    total = np.where(there, ratings, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def median(ratings: Floats) -> Floats:
    """(N, R) -> (N,); NaN in a row without ratings. Of an even number the mean of the two in the middle."""
    there = np.isfinite(ratings)
    rated = there.any(axis=1)
    found = np.full(len(ratings), np.nan)
    found[rated] = np.nanmedian(np.where(there, ratings, np.nan)[rated], axis=1)
    return found


def disagreement(ratings: Floats, label_count: int | None) -> Floats:
    """(N,) how far a row's ratings differ; NaN where fewer than two. Of labels 1 - Σ share², by which two of
    two count as much as four of eight; where `label_count` is None, the standard deviation.
    """
    count = np.isfinite(ratings).sum(axis=1)
    if label_count is None:
        spread = np.where(np.isfinite(ratings), ratings - mean(ratings)[:, None], 0.0)
        apart = np.sqrt((spread**2).sum(axis=1) / np.maximum(count, 1))
    else:
        shares = votes_of(ratings, label_count) / np.maximum(count, 1)[:, None]
        apart = 1.0 - (shares**2).sum(axis=1)
    return np.where(count > 1, apart, np.nan)
