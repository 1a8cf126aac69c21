"""What one rater reaches against the others, the human ceiling, and what a model reaches beside it.

Ratings are (N, R): a column is a rater where raters are `identified`, else the columns are places without a
meaning; NaN is missing. Labels are positions. Rows are held against

- "all": the mean of all ratings of the row; of labels the one that most raters gave;
- "others": the same without the one rater whose turn it is. Only this is like for like: the mean of four is a
  noisier yardstick than the mean of five, and a rater cannot be held against a mean that he is part of;
- "one": one rater at a time.

Equals among the majority share the row. Identified raters are scored one by one and averaged, so that a
lenient one shows as an error of his own; else see pairs.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Flags, Floats, Predictions
from stratune.evaluate.intervals import Interval, bootstrapped
from stratune.evaluate.metrics import Scorer
from stratune.evaluate.pairs import LabelPairs, MeanOf, Pairs, ValuePairs
from stratune.task import Kind

Measures = dict[str, Interval]
_RATER = "rater "


def human_ceiling(
    ratings: Floats,
    *,
    kind: Kind = "regression",
    label_count: int = 0,
    identified: bool = False,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Measures:
    """One rater against the mean, or majority, of the others. Rows with one rating are left out; {} when
    all are.
    """
    people = _People(ratings, kind, label_count, identified)
    scorer = people.scorer("others", None)
    if scorer is None:
        return {}
    return bootstrapped([scorer], len(ratings), groups=groups, resamples=resamples, seed=seed)


def with_people(
    predictions: Predictions,
    ratings: Floats,
    *,
    kind: Kind = "regression",
    label_count: int = 0,
    identified: bool = False,
    invalid: Flags | None = None,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Measures]:
    """A model over S seeds against "all", "others" and "one", and each identified rater as "rater 1", ...

    said (S, N) or (N,): numbers, or label positions. `invalid`, of the same shape: no answer; of numbers it
    counts as the mean of the ratings, of labels it is wrong.
    """
    answers = np.atleast_2d(np.asarray(predictions, dtype=np.float64))
    unanswered = np.zeros(answers.shape, dtype=bool) if invalid is None else np.atleast_2d(invalid)
    nothing = float(label_count) if kind != "regression" else _mean(ratings)
    answers = np.where(unanswered, nothing, answers)
    people = _People(ratings, kind, label_count, identified)
    found = {}
    for target in people.targets():
        scorers = [people.scorer(target, one) for one in answers]
        if whole := [scorer for scorer in scorers if scorer is not None]:
            found[target] = bootstrapped(whole, len(ratings), groups=groups, resamples=resamples, seed=seed)
    return found


def rater_key(number: int) -> str:
    """What `with_people` calls the rater in column `number`."""
    return f"{_RATER}{number + 1}"


def _mean(ratings: Floats) -> float:
    return float(np.nanmean(ratings)) if np.isfinite(ratings).any() else 0.0


class _People:
    """Ratings, and the pairs to make of them."""

    def __init__(self, ratings: Floats, kind: Kind, label_count: int, identified: bool) -> None:
        self.ratings = np.asarray(ratings, dtype=np.float64)
        self.kind, self.label_count, self.identified = kind, label_count, identified
        self.there = np.isfinite(self.ratings)
        self.count = self.there.sum(axis=1)
        if kind == "regression":
            self.votes = np.zeros((len(self.ratings), 0))
        else:  # (N, K)
            self.votes = np.stack([(self.ratings == label).sum(axis=1) for label in range(label_count)], 1)

    def targets(self) -> list[str]:
        each = [rater_key(number) for number in range(self.ratings.shape[1])]
        return ["all", "others", "one", *(each if self.identified else [])]

    def scorer(self, target: str, model: Floats | None) -> Scorer | None:
        """What a model said (N,), or without one a rater, against `target`; None where no row has it."""
        if target == "all":
            rows = np.flatnonzero(self.count)
            return self._of(self._held(rows, np.full_like(rows, -1), model, np.ones(len(rows))))
        if target.startswith(_RATER):
            return self._of(self._single(model, columns=[int(target.removeprefix(_RATER)) - 1]))
        pairs: Callable[..., Pairs] = self._left_out if target == "others" else self._single
        if not self.identified:
            return self._of(pairs(model))
        each = [self._of(pairs(model, columns=[column])) for column in range(self.ratings.shape[1])]
        known = [scorer for scorer in each if scorer is not None]
        return MeanOf(known) if known else None

    def _of(self, pairs: Pairs) -> Scorer | None:
        if not len(pairs.row):
            return None
        if self.kind == "regression":
            return ValuePairs(pairs)
        return LabelPairs(pairs, self.label_count, ordered=self.kind == "ordinal")

    def _left_out(self, model: Floats | None, columns: list[int] | None = None) -> Pairs:
        """Each rating's row with the ratings of the others as the yardstick; rows with two or more."""
        row, column = self._places(columns, least=2)
        part = np.ones(len(row)) if columns else 1.0 / self.count[row]
        return self._held(row, column, model, part)

    def _single(self, model: Floats | None, columns: list[int] | None = None) -> Pairs:
        """A model against one rating at a time."""
        assert model is not None, "one rater against himself says nothing"
        row, column = self._places(columns, least=1)
        part = np.ones(len(row)) if columns else 1.0 / self.count[row]
        return Pairs(row, model[row], self.ratings[row, column], part)

    def _places(
        self, columns: list[int] | None, least: int
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        there = self.there & (self.count >= least)[:, None]
        if columns is not None:
            wanted = np.zeros(there.shape[1], dtype=bool)
            wanted[columns] = True
            there = there & wanted
        row, column = np.nonzero(there)
        return row, column

    def _held(
        self, row: npt.NDArray[np.intp], left_out: npt.NDArray[np.intp], model: Floats | None, part: Floats
    ) -> Pairs:
        """Against the mean or majority of a row's ratings without the one in column `left_out` (-1: none)."""
        without = left_out >= 0
        mine = np.where(without, self.ratings[row, left_out], np.nan)
        predictions = mine if model is None else model[row]
        if self.kind == "regression":
            total = np.where(self.there, self.ratings, 0.0).sum(axis=1)[row] - np.where(without, mine, 0.0)
            return Pairs(row, predictions, total / (self.count[row] - without), part)
        votes = self.votes[row].astype(np.int64)
        votes[np.flatnonzero(without), mine[without].astype(np.intp)] -= 1
        most = votes == votes.max(axis=1, keepdims=True)
        pair, label = np.nonzero(most)
        shared = part[pair] / most.sum(axis=1)[pair]
        return Pairs(row[pair], predictions[pair], label.astype(np.float64), shared)
