"""The worst slices, searched among conditions and pairs of them: which rows are wrong more often than chance.

The share of wrong rows of a slice is tested against that of all rows: the binomial tail P(X >= k) of n rows
is the regularised incomplete beta function I_share(k, n - k + 1), which also takes the fewer effective rows
that rows of one group are worth (Kish 1965). p values are adjusted for all that was looked at (Bonferroni):
half of the level is for single conditions, half for pairs, which are many more. What is found is taken out,
and the rest is searched again: a second slice is bad by itself, and not because it overlaps the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Flags, Floats

LEVEL = 0.05
LEAST_ROWS = 20  # of a slice
LEAST_GROUPS = 5  # of a slice: with fewer, how much groups differ is hardly known
LARGEST = 0.5  # share of the rows of a slice
SMALLER = 0.9  # a pair has at most this share of the rows of each of its conditions
MOST = 5  # slices that are found


@dataclass(frozen=True)
class Found:
    """`conditions`: one or two positions. `p`: adjusted for all that was looked at."""

    conditions: tuple[int, ...]
    rows: int
    wrong: float  # share of the slice's rows
    p: float


@dataclass(frozen=True)
class Search:
    """`singles` and `pairs` were looked at."""

    found: tuple[Found, ...]
    singles: int
    pairs: int


def worst_slices(
    conditions: Flags, wrong: Flags, groups: npt.NDArray[np.intp] | None = None, *, most: int = MOST
) -> Search:
    """`conditions` (C, N): which rows meet each; `wrong` (N,); `groups` (N,): rows that belong together."""
    rows = wrong.shape[0]
    singles, pairs = _sizes(conditions, np.ones(rows, dtype=bool))
    usable = (singles >= LEAST_ROWS) & (singles <= LARGEST * rows)
    both = np.triu(pairs >= LEAST_ROWS, k=1) & usable[:, None] & usable
    both &= pairs <= SMALLER * np.minimum(singles[:, None], singles)
    tried = int(usable.sum()), int(both.sum())
    clusters = None if groups is None else _Clusters.of(groups, wrong)
    left, found = np.ones(rows, dtype=bool), list[Found]()
    while len(found) < most:
        one = _worst(conditions, wrong, left, clusters, usable, both, tried)
        if one is None:
            break
        found.append(one)
        left &= ~conditions[list(one.conditions)].all(axis=0)
    return Search(tuple(found), *tried)


def _sizes(conditions: Flags, rows: Flags) -> tuple[Floats, Floats]:
    """How many of `rows` meet each condition (C,), and each two of them (C, C)."""
    own = conditions[:, rows].astype(np.float32)
    pairs = np.asarray(own @ own.T, dtype=np.float64)
    return np.diag(pairs).copy(), pairs


def _worst(
    conditions: Flags,
    wrong: Flags,
    left: Flags,
    clusters: _Clusters | None,
    usable: Flags,
    both: Flags,
    tried: tuple[int, int],
) -> Found | None:
    """The slice of the rows that are `left` with the least p; None where none is below LEVEL."""
    share = float(wrong[left].mean()) if left.any() else 0.0
    if not 0 < share < 1:
        return None
    _, size = _sizes(conditions, left)
    _, bad = _sizes(conditions, left & wrong)
    best: Found | None = None
    for p, key in _candidates(size, bad, share, usable, both, tried):
        if best is not None and p >= best.p:
            break
        rows = conditions[list(key)].all(axis=0) & left
        effect = 1.0 if clusters is None else clusters.design_effect(rows)
        if effect is None:
            continue
        own, failed = size[key[0], key[-1]], bad[key[0], key[-1]]
        p = min(float(_tail(failed / effect, own / effect, share)) * 2 * tried[len(key) - 1], 1.0)
        if p < (LEVEL if best is None else best.p):
            best = Found(key, int(own), float(failed / own), p)
    return best


def _candidates(
    size: Floats, bad: Floats, share: float, usable: Flags, both: Flags, tried: tuple[int, int]
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """(p as if rows were independent, positions) of what lies below LEVEL, the least p first."""
    found: list[tuple[float, tuple[int, ...]]] = []
    for where, count in ((np.diag(usable), tried[0]), (both, tried[1])):
        rows, columns = np.nonzero(where & (size >= LEAST_ROWS) & (bad > share * size))
        p = _tail(bad[rows, columns], size[rows, columns], share) * 2 * count
        for k in np.flatnonzero(p < LEVEL):
            found.append((float(p[k]), tuple(sorted({int(rows[k]), int(columns[k])}))))
    return iter(sorted(found))


def _tail(failed: Floats, rows: Floats, share: float) -> Floats:
    """P(X >= failed) of a binomial, also of numbers that are not whole."""
    from scipy.special import betainc

    return np.asarray(betainc(failed, rows - failed + 1, share))


@dataclass(frozen=True)
class _Clusters:
    """Groups of rows, and how alike the rows of one are: the intraclass correlation of what is wrong."""

    member: npt.NDArray[np.intp]
    alike: float

    @classmethod
    def of(cls, groups: npt.NDArray[np.intp], wrong: Flags) -> _Clusters:
        """The correlation is what makes sums over groups vary more than sums of single rows; at least 0."""
        member = np.unique(groups, return_inverse=True)[1]
        share, rows = float(wrong.mean()), len(wrong)
        sums = np.bincount(member, weights=wrong - share)
        count = len(sums)
        spread = float((sums**2).sum()) * count / max(count - 1, 1)
        size = _mean_size(member)
        known = 0 < share < 1 and size > 1
        inflated = spread / (rows * share * (1 - share)) if known else 1.0
        return cls(member, min(max((inflated - 1) / (size - 1), 0.0), 1.0) if known else 0.0)

    def design_effect(self, rows: Flags) -> float | None:
        """By how many rows of a slice count as one (Kish 1965); None of too few groups."""
        own = self.member[rows]
        return None if len(np.unique(own)) < LEAST_GROUPS else 1 + (_mean_size(own) - 1) * self.alike


def _mean_size(member: npt.NDArray[np.intp]) -> float:
    """Rows of the group of a row, on average."""
    sizes = np.bincount(member)
    return float((sizes**2).sum() / sizes.sum())
