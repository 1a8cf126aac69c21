"""Each annotator against the others of the rows that he rated, and who is off.

An annotator's rating of a row scores by what the row's other raters say: of labels 1 where it is their
majority (a share where several labels lead), of numbers minus its distance from their mean. His agreement is
the mean score; `rest` is what the others reach in the same rows, each against the others, so that whoever
got the hard rows is not blamed for them.

Whether he is off: if raters could be exchanged, each rating of a row would be equally likely to be his, so
his sum of scores has a known distribution: exactly, by adding up rows, where few rows say anything; else
nearly normal. Groups (several rows of one document) spread by whole groups. Off is whose interval lies wholly
below `rest` and whose p value, one-sided, adjusted for the number of annotators (Holm 1979), is below LEVEL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.intervals import Interval
from stratune.evaluate.label_agreement import votes_of
from stratune.evaluate.multiple import holm
from stratune.evaluate.proportions import Proportions
from stratune.evaluate.scales import NORMAL, SCALES, student

LEVEL = 0.001  # a person is named: of a thousand sets of annotators who are all alike, in one
EXACT = 400  # rows that say something; with more the normal distribution is as good
_GRID = 24  # steps between the worst and the best score: halves, thirds, quarters and sixths are exact
Who = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Annotator:
    """`ratings` he gave, `compared` of them where others rated, too. `measures`: agreement; of numbers mae,
    bias (his ratings less the others' mean) and pearson. `rest`: the first measure, of the others in his
    rows; None where he is compared nowhere. `p`: adjusted.
    """

    number: int
    ratings: int
    compared: int
    measures: dict[str, Interval]
    rest: float | None
    p: float
    off: bool = False


@dataclass(frozen=True)
class _Ratings:
    """P ratings of rows that have two or more. `expected` (P,) is the mean score of a row's ratings, and
    `others` that of the rest of them.
    """

    row: npt.NDArray[np.intp]
    rater: npt.NDArray[np.intp]
    mine: Floats
    against: Floats
    score: Floats
    expected: Floats
    others: Floats
    spread: Floats  # the variance of a row's scores


def annotators(
    ratings: Floats, who: Who, label_count: int | None, *, groups: npt.NDArray[Any] | None = None
) -> list[Annotator]:
    """Ratings (N, R), NaN where missing, by the raters `who` (N, R), from 0: an entry for each of them, in
    order. `label_count`: ratings are label positions; None: they are numbers. `groups` (N,).
    """
    there = np.isfinite(ratings)
    counts = np.bincount(who[there], minlength=int(who[there].max(initial=-1)) + 1)
    compared = _compared(ratings, who, label_count)
    places = np.split(np.argsort(compared.rater, kind="stable"), _ends(compared.rater, len(counts)))
    found = []
    for number, (given, mine) in enumerate(zip(counts, places, strict=True)):
        found.append(_annotator(number, int(given), compared, mine, label_count is not None, groups))
    tested = [one for one in found if one.rest is not None]
    adjusted = dict(zip((one.number for one in tested), holm([one.p for one in tested]), strict=True))
    return [_judged(one, adjusted.get(one.number, 1.0)) for one in found]


def _ends(raters: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.intp]:
    return np.asarray(np.cumsum(np.bincount(raters, minlength=count))[:-1], dtype=np.intp)


def _judged(one: Annotator, p: float) -> Annotator:
    if one.rest is None:
        return replace(one, p=1.0)
    if "agreement" in one.measures:
        apart = one.measures["agreement"].high < one.rest
    else:
        apart = one.measures["mae"].low > one.rest
    return replace(one, p=p, off=bool(apart and p < LEVEL))


def _compared(ratings: Floats, who: Who, label_count: int | None) -> _Ratings:
    there = np.isfinite(ratings)
    there &= (there.sum(axis=1) > 1)[:, None]
    row, column = np.nonzero(there)
    mine, count = ratings[row, column], there.sum(axis=1)
    if label_count is None:
        total = np.where(there, ratings, 0.0).sum(axis=1)
        against = (total[row] - mine) / (count[row] - 1)
        score = -abs(mine - against)
    else:
        votes = votes_of(ratings, label_count)[row]
        own = mine.astype(np.intp)
        votes[np.arange(len(row)), own] -= 1
        most = votes == votes.max(axis=1, keepdims=True)
        score = most[np.arange(len(row)), own] / most.sum(axis=1)
        against = votes.argmax(axis=1).astype(np.float64)
    sums = np.bincount(row, score, minlength=len(ratings))
    squares = np.bincount(row, score**2, minlength=len(ratings))
    middle = sums / np.maximum(count, 1)
    spread = np.maximum(squares / np.maximum(count, 1) - middle**2, 0.0)
    others = (sums[row] - score) / (count[row] - 1)
    return _Ratings(row, who[row, column], mine, against, score, middle[row], others, spread[row])


def _annotator(
    number: int, given: int, all_: _Ratings, mine: Who, labels: bool, groups: npt.NDArray[Any] | None
) -> Annotator:
    if not len(mine):
        return Annotator(number, given, 0, {}, None, 1.0)
    score, rest = all_.score[mine], float(all_.others[mine].mean())
    unit = all_.row[mine] if groups is None else np.asarray(groups)[all_.row[mine]]
    if labels:
        measures = {"agreement": _share(score, unit, groups is not None)}
    else:
        measures = _of_numbers(all_.mine[mine], all_.against[mine], unit)
        rest = -rest
    if groups is None:
        p = _chance(all_, mine)
    else:
        p = _chance_of_groups(score - all_.expected[mine], all_.spread[mine], unit)
    return Annotator(number, given, len(mine), measures, rest, p)


def _share(score: Floats, unit: npt.NDArray[Any], grouped: bool) -> Interval:
    """Wilson's, of as many rows as have the variance of whole groups."""
    value, rows = float(score.mean()), float(len(score))
    quantile, ratio = NORMAL, 1.0
    if grouped:
        error, units = _error(score, unit)
        independent = value * (1 - value) / rows
        ratio = max(error**2 / independent, 1.0) if independent > 0 else 1.0
        quantile = float(student(0.05, units - 1))
    low, high = Proportions(np.array([value]), np.array([rows])).ends(ratio, quantile)
    return Interval(value, float(low[0]), float(high[0]))


def _of_numbers(mine: Floats, against: Floats, unit: npt.NDArray[Any]) -> dict[str, Interval]:
    """mae, bias, and pearson where it is defined; the last as of independent rows, as many as units."""
    apart = mine - against
    units = len(np.unique(unit))
    quantile = float(student(0.05, units - 1))
    error, _ = _error(abs(apart), unit)
    value, bias = float(abs(apart).mean()), float(apart.mean())
    scale = SCALES["mae"]
    ends = scale.ends(value, error, quantile) if scale.has(value) and units > 1 else (value, value)
    reach = quantile * _error(apart, unit)[0] if units > 1 else 0.0
    found = {"mae": Interval(value, *ends), "bias": Interval(bias, bias - reach, bias + reach)}
    if units > 3 and mine.std() > 0 and against.std() > 0:
        together = float(np.corrcoef(mine, against)[0, 1])
        scale = SCALES["pearson"]
        error = (1 - together**2) / np.sqrt(units - 3)  # on Fisher's z one over the root
        low, high = scale.ends(together, error, NORMAL) if scale.has(together) else (together, together)
        found["pearson"] = Interval(together, low, high)
    return found


def _error(values: Floats, unit: npt.NDArray[Any]) -> tuple[float, int]:
    """Standard error of the mean (its rows may belong together), and how many units there are."""
    member = np.unique(unit, return_inverse=True)[1]
    sums = np.bincount(member, values - values.mean())
    units = len(sums)
    if units < 2:
        return 0.0, units
    return float(np.sqrt((sums**2).sum() * units / (units - 1))) / len(values), units


def _chance(all_: _Ratings, mine: Who) -> float:
    """How often a rater drawn at random in each of these rows has a sum of scores as low."""
    telling = mine[all_.spread[mine] > 1e-12]
    if not len(telling):
        return 1.0
    if len(telling) > EXACT:
        from scipy.special import ndtr

        away = (all_.score[telling] - all_.expected[telling]).sum()
        return float(ndtr(away / np.sqrt(all_.spread[telling].sum())))
    by_row = {int(row): _scores_of(all_, int(row)) for row in np.unique(all_.row[telling])}
    lowest = min(float(scores.min()) for scores in by_row.values())
    step = (max(float(scores.max()) for scores in by_row.values()) - lowest) / _GRID
    chances, reached = np.ones(1), 0
    for row, score in zip(all_.row[telling], all_.score[telling], strict=True):
        places = np.rint((by_row[int(row)] - lowest) / step).astype(np.intp)
        chances = np.convolve(chances, np.bincount(places) / len(places))
        reached += int(np.rint((score - lowest) / step))
    return float(min(chances[: reached + 1].sum(), 1.0))


def _scores_of(all_: _Ratings, row: int) -> Floats:
    first, last = np.searchsorted(all_.row, [row, row + 1])  # rows are in order
    return all_.score[first:last]


def _chance_of_groups(away: Floats, spread: Floats, unit: npt.NDArray[Any]) -> float:
    from scipy.special import stdtr

    member = np.unique(unit, return_inverse=True)[1]
    sums = np.bincount(member, away)
    units = len(sums)
    independent = float(spread.sum())
    variance = max(float((sums**2).sum()) * units / max(units - 1, 1), independent)
    if units < 2 or variance <= 0:
        return 1.0
    return float(stdtr(units - 1, away.sum() / np.sqrt(variance)))
