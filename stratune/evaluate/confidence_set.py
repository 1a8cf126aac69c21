"""The tied set: the strategies that cannot be told from the best on these rows.

Multiple comparisons with the best (Hsu 1981, 1996): a strategy goes when some other one is shown to be better
than it, in paired resamples and at a level that holds for all others together. So the set holds the strategy
that is truly the best in 95 of 100 comparisons, however many there are and whatever they have in common.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stratune.evaluate.arrays import Floats
from stratune.evaluate.scales import student

ALPHA = 0.05


def confidence_set(points: Floats, drawn: Floats, units: int) -> Floats:
    """Values (K,) of K strategies, higher is better, and replicates (K, R) -> p values (K,).

    Those with p >= ALPHA are in the set, the best one always. `units` is how many rows, or groups, the
    replicates were drawn from: resamples of few vary too little, and have no heavy tails, so they are
    stretched as Student's quantile is.
    """
    kept = drawn[:, ~np.isnan(drawn).any(axis=0)]
    p = np.ones(len(points))
    if units < 2 or not kept.shape[1]:  # nothing is known of what others would say
        return p
    wider = stretch(units)
    for i in range(len(points)):
        ahead = points - points[i]  # (K,), of the others
        moved = (kept - kept[i] - ahead[:, None]) * wider  # (K, R), around zero
        error = moved.std(axis=1)
        error[error == 0] = np.inf  # itself, and whoever answers alike
        farthest = (moved / error[:, None]).max(axis=0)  # (R,)
        p[i] = (farthest >= (ahead / error).max()).mean()
    p[np.argmax(points)] = 1.0
    return p


def near_best(points: Floats, drawn: Floats, units: int) -> NDArray[np.bool_]:
    """The one-standard-error rule: values (K,), higher is better, and replicates (K, R) -> (K,) who is behind
    the best by no more than the standard error of that difference (Breiman, Friedman, Olshen & Stone 1984,
    section 3.4.3, with the error of pairs). All of them, where no replicate says how large it is.
    """
    kept = drawn[:, ~np.isnan(drawn).any(axis=0)]
    if units < 2 or not kept.shape[1]:
        return np.ones(len(points), dtype=bool)
    first = np.argmax(points)
    error = (kept - kept[first]).std(axis=1) * np.sqrt(units / (units - 1))
    return np.asarray(points[first] - points <= error)


def stretch(units: int) -> float:
    """By how much replicates of few units are to be stretched for their percentiles to cover."""
    few, many = student(ALPHA, [units - 1, np.inf])
    return float(few / many * np.sqrt(units / (units - 1)))


def first_shares(drawn: Floats) -> Floats:
    """Replicates (K, R), higher is better -> (K,) the share of resamples in which each is first."""
    kept = drawn[:, ~np.isnan(drawn).any(axis=0)]
    if not kept.shape[1]:
        return np.full(len(drawn), np.nan)
    first = kept >= kept.max(axis=0)
    return np.asarray((first / first.sum(axis=0)).mean(axis=1))


def optimism(points: Floats, drawn: Floats) -> float:
    """By how much the score of the one that is first flatters it, because it was chosen by that score.

    In each resample the first one there is looked at again on the rows as they are (Efron & Tibshirani 1993,
    chapter 17): the mean of what it loses. NaN without replicates.
    """
    kept = drawn[:, ~np.isnan(drawn).any(axis=0)]
    if not kept.shape[1]:
        return float("nan")
    first = kept.argmax(axis=0)
    return float((kept.max(axis=0) - points[first]).mean() - (kept[np.argmax(points)] - points.max()).mean())
