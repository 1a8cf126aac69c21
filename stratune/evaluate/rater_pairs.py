"""Cohen's kappa of every two raters who can be told apart, and its mean (Light 1971).

Two raters are a pair where they have rated LEAST rows together: of fewer, kappa is noise, and mostly
undefined. Levels also have kappa with quadratic weights. Cohen 1960, 1968.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats, ratio
from stratune.evaluate.intervals import Interval, bootstrap
from stratune.evaluate.pairs import mean_of_known

LEAST = 10  # rows that two raters share
MOST_SHOWN = 45  # pairs with an interval each: those of ten raters
Who = npt.NDArray[np.intp]


@dataclass(frozen=True)
class PairAgreement:
    """`means`: cohen, and of levels cohen_weighted, over `pairs` pairs; `each`: (one, other) -> the same."""

    means: dict[str, Interval]
    each: dict[tuple[int, int], dict[str, Interval]]
    pairs: int


def pair_agreement(
    ratings: Floats,
    who: Who,
    label_count: int,
    *,
    ordered: bool = False,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> PairAgreement:
    """Ratings (N, R), label positions, NaN where missing, by the raters `who` (N, R).

    `each` is empty with more than MOST_SHOWN pairs. Everything is where no two raters share LEAST rows.
    """
    scorer = PairKappas(ratings, who, label_count, ordered=ordered)
    if not scorer.pairs:
        return PairAgreement({}, {}, 0)
    found = bootstrap([scorer], len(ratings), groups=groups, resamples=resamples, seed=seed)
    means = {name: one for name, one in found.items() if "[" not in name}
    each: dict[tuple[int, int], dict[str, Interval]] = {}
    if scorer.each:
        for place, pair in enumerate(scorer.pairs):
            named = {name: f"{name}[{place}]" for name in scorer.unlike}
            each[pair] = {name: found[key] for name, key in named.items() if key in found}
    return PairAgreement(means, each, len(scorer.pairs))


class PairKappas:
    """The K x K tables of P pairs of raters, one row of the file after the other."""

    def __init__(self, ratings: Floats, who: Who, label_count: int, *, ordered: bool) -> None:
        from scipy.sparse import csr_array

        row, one, other, first, second = _together(ratings, who)
        raters = int(who.max(initial=0)) + 1
        codes, place, count = np.unique(one * raters + other, return_inverse=True, return_counts=True)
        enough = count >= LEAST
        number = np.cumsum(enough) - 1
        kept = enough[place]
        self.pairs = [(int(code // raters), int(code % raters)) for code in codes[enough]]
        self.each = len(self.pairs) <= MOST_SHOWN
        self.shape = (len(self.pairs), label_count, label_count)
        cell = ((number[place] * label_count + first) * label_count + second)[kept]
        size = (len(self.pairs) * label_count**2, len(ratings))
        self.adder: Any = csr_array((np.ones(len(cell)), (cell, row[kept])), shape=size)
        levels = np.arange(label_count)
        self.unlike = {"cohen": 1.0 - np.eye(label_count)}
        if ordered:
            self.unlike["cohen_weighted"] = (levels[:, None] - levels).astype(np.float64) ** 2

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> each measure (R,); NaN where undefined."""
        tables = (self.adder @ weights).reshape(*self.shape, -1)  # (P, K, K, R)
        one, other = tables.sum(axis=2), tables.sum(axis=1)  # (P, K, R)
        total = np.maximum(one.sum(axis=1), 1e-300)
        found = {}
        for name, unlike in self.unlike.items():
            observed = np.einsum("ij,pijr->pr", unlike, tables)
            expected = np.einsum("ij,pir,pjr->pr", unlike, one, other) / total
            kappas = 1.0 - ratio(observed, expected)
            found[name] = mean_of_known(kappas)
            if self.each:
                found |= {f"{name}[{place}]": kappa for place, kappa in enumerate(kappas)}
        return found


def _together(ratings: Floats, who: Who) -> tuple[npt.NDArray[np.intp], ...]:
    """Every two ratings of a row by two raters: row, the lower rater, the other one, and what both said."""
    found: list[npt.NDArray[np.intp]] = []
    there = np.isfinite(ratings)
    for left in range(ratings.shape[1]):
        for right in range(left + 1, ratings.shape[1]):
            rows = np.flatnonzero(there[:, left] & there[:, right] & (who[:, left] != who[:, right]))
            raters, said = who[rows][:, [left, right]], ratings[rows][:, [left, right]]
            turned = raters[:, 0] > raters[:, 1]
            raters[turned], said[turned] = raters[turned][:, ::-1], said[turned][:, ::-1]
            found.append(np.column_stack([rows, raters, said.astype(np.intp)]))
    table = np.concatenate(found) if found else np.zeros((0, 5), dtype=np.intp)
    return tuple(table.T)
