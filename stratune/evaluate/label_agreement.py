"""How often two ratings of a row are the same label, beyond chance, and for each label by itself.

Of N rows with mᵢ ratings, nᵢₖ of them label k; rows with two ratings or more count alike, whatever mᵢ:

- `percent`: the share of a row's pairs of ratings that are equal, as a mean over rows.
- `fleiss`: (percent - chance) / (1 - chance), where chance is Σ pₖ², and pₖ the mean over rows of nᵢₖ / mᵢ.
  Fleiss 1971; with gaps as Gwet 2014, of the rows that have two ratings.
- `specific[k]`: who saw a rating k, how often does the row's next rating say k, too? Their mean, weighted by
  pₖ, is `percent` (Spitzer and Fleiss 1974).
- `kappa[k]`: Fleiss' kappa of k against all other labels together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats, ratio
from stratune.evaluate.intervals import Interval, bootstrap
from stratune.evaluate.scoring import Tally


def label_agreement(
    ratings: Floats,
    labels: Sequence[str],
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Ratings (N, R), positions in `labels`, NaN where missing. What is undefined (a label that nobody gave)
    is not in the answer; {} where no row has two ratings.
    """
    scorer = LabelAgreement(ratings, labels)
    if not scorer.rated.any():
        return {}
    return bootstrap([scorer], len(ratings), groups=groups, resamples=resamples, seed=seed)


def votes_of(ratings: Floats, label_count: int) -> Floats:
    """(N, R) -> (N, K): how many ratings of a row are label k."""
    return np.stack([(ratings == label).sum(axis=1) for label in range(label_count)], 1).astype(np.float64)


class LabelAgreement:
    """Ratings (N, R), counted once."""

    def __init__(self, ratings: Floats, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        votes = votes_of(np.asarray(ratings, dtype=np.float64), len(self.labels))
        count = votes.sum(axis=1)  # (N,)
        self.rated = (count > 1).astype(np.float64)
        known = self.rated[:, None]
        several = np.maximum(count, 2.0)[:, None]
        self.shares = votes / several * known  # (N, K)
        self.same = votes * (votes - 1) / (several * (several - 1)) * known  # of all pairs of the row

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> each measure (R,); NaN where undefined."""
        rows = self.rated @ weights
        given = self.shares.T @ weights / np.maximum(rows, 1e-300)  # (K, R)
        same = self.same.T @ weights / np.maximum(rows, 1e-300)
        percent = same.sum(axis=0)
        apart = 1.0 - (given**2).sum(axis=0)  # what chance leaves
        found = {
            "percent": np.where(rows > 0, percent, np.nan),
            "fleiss": 1.0 - ratio(1.0 - percent, np.where(apart > 1e-12, apart, 0.0)),
        }
        specific = ratio(same, given)
        chance = given * (1.0 - given)
        one_of_two = ratio(given - same, np.where(chance > 1e-12, chance, 0.0))
        for place, label in enumerate(self.labels):
            found[f"specific[{label}]"] = specific[place]
            found[f"kappa[{label}]"] = 1.0 - one_of_two[place]
        return found

    def tally(self) -> Tally:
        """`specific` of a label is worth the rows that have it."""
        having = (self.shares > 0).sum(axis=0)
        named = zip(self.labels, having, strict=True)
        like = {"percent": float(self.rated.sum())}
        like |= {f"specific[{label}]": float(rows) for label, rows in named if rows}
        return Tally({}, like, {}, {}, self.labels)
