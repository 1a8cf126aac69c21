"""Pairs of labels that are taken for each other, both ways, more often than chance would have it.

Of the rows of label a that are answered wrong, how many are answered b? By chance as many as the larger of

- b's share of all answers that are not a: where a model does not know, it answers what it answers often;
- one of the K - 1 other labels, drawn at random.

The tail of the binomial distribution says how likely so many are (the regularised incomplete beta function,
which also takes the fewer rows that rows of one group are worth: Kish 1965). A pair is tested both ways and
has the larger p of the two: the test of an "and" (Berger 1982). So a label that swallows others is no pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Flags, Floats, Integers
from stratune.evaluate.label_agreement import votes_of

LEAST_GROUPS = 5  # that have wrong rows of a label: with fewer, how much groups differ is hardly known
Groups = npt.NDArray[np.intp] | None
Pair = tuple[int, int]


@dataclass(frozen=True)
class Way:
    """From one label to another. `rows` have the first one, `wrong` of them another answer, `taken` of these
    the second label, and `expected` would have it by chance.
    """

    rows: float
    wrong: float
    taken: float
    expected: float
    p: float


@dataclass(frozen=True)
class Confusion:
    """Of the labels a and b: `there` is a taken for b, `back` b taken for a."""

    pair: Pair
    there: Way
    back: Way

    @property
    def p(self) -> float:
        return max(self.there.p, self.back.p)


def pairs_to_merge(label_count: int, *, ordered: bool) -> list[Pair]:
    """Of levels only neighbours. None where two labels would leave one."""
    if label_count < 3:
        return []
    if ordered:
        return [(level, level + 1) for level in range(label_count - 1)]
    return list(combinations(range(label_count), 2))


def of_answers(
    truth: Integers,
    decided: Sequence[Integers],
    label_count: int,
    pairs: Sequence[Pair],
    groups: Groups = None,
) -> list[Confusion]:
    """Truth (N,); `decided`, of each of S seeds, (N,): K is no label, and such an answer confuses nothing.

    Counts are means over the seeds.
    """
    answers = np.mean([_one_hot(one, label_count) for one in decided], axis=0)  # (N, K)
    counted = _Counted(_one_hot(truth, label_count) > 0, answers, groups)
    return [Confusion((a, b), counted.way(a, b), counted.way(b, a)) for a, b in pairs]


def of_raters(
    ratings: Floats, label_count: int, pairs: Sequence[Pair], groups: Groups = None
) -> tuple[list[Confusion], int]:
    """Ratings (N, R), label positions, NaN where missing: where a rater gave one label and another rater did
    not, what did the others say? A row counts once, whatever the number of its raters. And of how many rows.
    """
    votes = votes_of(ratings, label_count)  # (N, K)
    several = votes.sum(axis=1) > 1
    votes = votes[several]
    if not len(votes):
        return [], 0
    shares = votes / votes.sum(axis=1, keepdims=True)
    counted = _Counted(votes > 0, shares, None if groups is None else groups[several], once=True)
    return [Confusion((a, b), counted.way(a, b), counted.way(b, a)) for a, b in pairs], len(votes)


@dataclass(frozen=True)
class _Counted:
    """`has` (N, K): whether a row has the label; `answers` (N, K): the share of each answer to it. `once`:
    a row with any other answer counts as one, whatever their share.
    """

    has: Flags
    answers: Floats
    groups: Groups
    once: bool = False

    def way(self, a: int, b: int) -> Way:
        own = np.flatnonzero(self.has[:, a])
        others = self.answers[own].sum(axis=1) - self.answers[own, a]
        differs = others > 1e-9
        rows, wrong = own[differs], others[differs]
        taken = self.answers[rows, b]
        if self.once:
            taken, wrong = taken / wrong, np.ones(len(rows))
        given = self.answers.sum(axis=0)
        share = float(given[b] / max(given.sum() - given[a], 1e-300))
        share = min(max(share, 1 / (len(given) - 1)), 1.0)
        groups = None if self.groups is None else self.groups[rows]
        count = float(wrong.sum())
        p = _tail(taken, wrong, share, groups)
        return Way(float(len(own)), count, float(taken.sum()), share * count, p)


def _tail(taken: Floats, wrong: Floats, share: float, groups: Groups) -> float:
    """P(X >= the sum of `taken`) of a binomial of `wrong` trials, both (n,), in fewer effective ones where
    rows are in groups.
    """
    from scipy.special import betainc

    hits, trials = float(taken.sum()), float(wrong.sum())
    if hits <= 0 or share >= 1:
        return 1.0
    if groups is not None:
        member = np.unique(groups, return_inverse=True)[1]
        if member.max() + 1 < LEAST_GROUPS:
            return 1.0
        effect = _design_effect(taken - hits / trials * wrong, hits / trials, trials, member)
        hits, trials = hits / effect, trials / effect
    return float(betainc(hits, max(trials - hits, 0.0) + 1, share))


def _design_effect(away: Floats, rate: float, trials: float, member: npt.NDArray[np.intp]) -> float:
    """By how many rows count as one: the variance of sums over groups, by that of independent rows. Where
    all rows are alike nothing varies: then a group counts as one row.
    """
    count = np.bincount(member)
    independent = trials * rate * (1 - rate)
    if independent < 1e-9:
        return float(len(member) / len(count))
    sums = np.bincount(member, weights=away)
    return max(float((sums**2).sum()) * len(count) / (len(count) - 1) / independent, 1.0)


def gain_by_chance(truth: Integers, decided: Integers, label_count: int, pair: Pair) -> dict[str, float]:
    """`accuracy` and `mcc` that a merge would bring if the wrong answers to the two labels fell on all other
    labels by their share of the answers: of two labels of these sizes that are no more alike than others.

    Accuracy always rises. Matthews' correlation (Gorodkin 2004) does not, where errors fall by chance alone.
    """
    counts = np.zeros((label_count, label_count + 1))  # truth down, answer across; the last: no label
    np.add.at(counts, (truth, decided), 1.0)
    given = counts[:, :label_count].sum(axis=0)
    for own in pair:
        others = np.arange(label_count) != own
        wrong = counts[own, :label_count][others].sum()
        shares = given * others
        counts[own, :label_count] = np.where(
            others, wrong * shares / max(shares.sum(), 1e-300), counts[own, own]
        )
    a, b = pair
    merged = counts.copy()
    merged[a] += merged[b]
    merged[:, a] += merged[:, b]
    merged = np.delete(np.delete(merged, b, axis=0), b, axis=1)
    return {
        "accuracy": float((np.trace(merged) - np.trace(counts)) / counts.sum()),
        "mcc": _matthews(merged) - _matthews(counts),
    }


def _matthews(counts: Floats) -> float:
    """Of (K, K + 1) counts; 0/0 is 0."""
    total, hit = counts.sum(), np.trace(counts)
    true, given = counts.sum(axis=1), counts.sum(axis=0)
    spread = (total**2 - (given**2).sum()) * (total**2 - (true**2).sum())
    return float((hit * total - given[: len(true)] @ true) / np.sqrt(spread)) if spread > 0 else 0.0


def _one_hot(labels: Integers, label_count: int) -> Floats:
    """(N,) -> (N, K); of K, which is no label, a row of zeros."""
    return np.asarray(np.eye(label_count + 1)[np.asarray(labels, dtype=np.intp)][:, :label_count])
