"""Dawid and Skene: which label is true, when raters are right to different degrees, each in ways of his own.

Every rater has a table of errors: how often he says l where k is true. Labels and tables are unknown alike,
so EM takes turns: from the probabilities of the labels the tables, from the tables the probabilities (Dawid
and Skene 1979). The start is the shares of each row's ratings, so true labels keep the raters' names.

The maximum of the likelihood gives a rater of three ratings a table of zeros and ones, which then outvotes
everybody. So `smoothing` ratings are added to each row of a table, shared out as all raters' ratings are.
Zero gives the numbers of the paper, and with ten ratings a rater fewer right labels than the majority.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.label_agreement import votes_of

SMOOTHING = 5.0
STEPS = 1000
ENOUGH = 1e-6  # of a probability, that the last step moved
_LEAST = 1e-12


@dataclass(frozen=True)
class TrueLabels:
    """`probabilities` (N, K), NaN in a row without ratings; `prevalence` (K,); `errors` (A, K, K): how often
    rater a says l where k is true. `converged`: STEPS were enough.
    """

    probabilities: Floats
    prevalence: Floats
    errors: Floats
    steps: int
    converged: bool


def dawid_skene(
    ratings: Floats, who: npt.NDArray[np.intp], label_count: int, *, smoothing: float = SMOOTHING
) -> TrueLabels:
    """Ratings (N, R), label positions, NaN where missing, by the raters `who` (N, R), from 0. A rater may
    have rated a row more than once.
    """
    from scipy.sparse import csr_array

    there = np.isfinite(ratings)
    row, column = np.nonzero(there)
    raters = int(who[there].max(initial=0)) + 1
    cell = who[row, column] * label_count + ratings[row, column].astype(np.intp)  # rater and what he said
    said = csr_array((np.ones(len(row)), (row, cell)), shape=(len(ratings), raters * label_count))
    votes = votes_of(ratings, label_count)
    rated = votes.sum(axis=1) > 0
    probabilities = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1.0)
    step, moved = 0, np.inf
    while step < STEPS and moved > ENOUGH:
        prevalence = probabilities[rated].mean(axis=0)
        errors = _errors(said, probabilities, raters, label_count, smoothing)
        logs = np.log(np.maximum(errors, _LEAST)).transpose(0, 2, 1).reshape(-1, label_count)
        likely = said @ logs + np.log(np.maximum(prevalence, _LEAST))  # (N, K)
        new = np.exp(likely - likely.max(axis=1, keepdims=True))
        new /= new.sum(axis=1, keepdims=True)
        moved = float(abs(new - probabilities)[rated].max())
        probabilities, step = new, step + 1
    probabilities[~rated] = np.nan
    return TrueLabels(probabilities, prevalence, errors, step, moved <= ENOUGH)


def _errors(said: object, probabilities: Floats, raters: int, labels: int, smoothing: float) -> Floats:
    """(A, K, K), rows summing to one; where a rater has nothing to go by, as all raters together."""
    counts = (said.T @ probabilities).reshape(raters, labels, labels).transpose(0, 2, 1)  # type: ignore[attr-defined]
    everybody = counts.sum(axis=0)
    everybody = everybody / np.maximum(everybody.sum(axis=1, keepdims=True), _LEAST)
    added = counts + max(smoothing, _LEAST) * everybody
    found: Floats = added / np.maximum(added.sum(axis=2, keepdims=True), _LEAST)
    return found
