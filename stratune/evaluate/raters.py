"""The raters of N rows, and the pairs of answers to make of their ratings: of numbers, or of labels.

Ratings are (N, R): a column is a rater where raters are `identified`, else the columns are positions without
a meaning; NaN is missing. Of labels a rating is the label's position.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.pairs import LabelPairs, MeanOf, Pairs, ValuePairs
from stratune.evaluate.scoring import Scorer

_RATER = "rater "
Places = npt.NDArray[np.intp]


def rater_key(number: int) -> str:
    """The name of the rater in column `number`."""
    return f"{_RATER}{number + 1}"


class Raters:
    """Ratings, and what one of them, or a model, is held against. See ceiling.py for the yardsticks."""

    def __init__(self, ratings: Floats, *, identified: bool = False) -> None:
        self.ratings = np.asarray(ratings, dtype=np.float64)
        self.identified = identified
        self.there = np.isfinite(self.ratings)
        self.count = self.there.sum(axis=1)

    @property
    def no_answer(self) -> float:
        """What counts as a model's answer where it gave none."""
        raise NotImplementedError

    def targets(self) -> list[str]:
        """What a model is held against."""
        each = [rater_key(number) for number in range(self.ratings.shape[1])]
        return ["all", "others", "one", *(each if self.identified else [])]

    def scorer(self, target: str, model: Floats | None) -> Scorer | None:
        """A model's answers (N,), or without one a rater's, against `target`; None where no row has it."""
        if target == "all":
            rows = np.flatnonzero(self.count)
            return self._scored(self._consensus(rows, np.full_like(rows, -1), model, np.ones(len(rows))))
        if target.startswith(_RATER):
            return self._scored(self._single(model, columns=[int(target.removeprefix(_RATER)) - 1]))
        pairs: Callable[..., Pairs] = self._left_out if target == "others" else self._single
        if not self.identified:
            return self._scored(pairs(model))
        each = [self._scored(pairs(model, columns=[column])) for column in range(self.ratings.shape[1])]
        known = [scorer for scorer in each if scorer is not None]
        return MeanOf(known) if known else None

    def _scored(self, pairs: Pairs) -> Scorer | None:
        return self._scorer_of(pairs) if len(pairs.row) else None

    def _scorer_of(self, pairs: Pairs) -> Scorer:
        raise NotImplementedError

    def _consensus(self, row: Places, left_out: Places, model: Floats | None, part: Floats) -> Pairs:
        """Against what a row's raters agree on, without the one in column `left_out` (-1: none)."""
        raise NotImplementedError

    def _left_out(self, model: Floats | None, columns: list[int] | None = None) -> Pairs:
        """Each rating's row with the ratings of the others as the yardstick; rows with two or more."""
        row, column = self._places(columns, least=2)
        part = np.ones(len(row)) if columns else 1.0 / self.count[row]
        return self._consensus(row, column, model, part)

    def _single(self, model: Floats | None, columns: list[int] | None = None) -> Pairs:
        """A model against one rating at a time."""
        assert model is not None, "one rater against himself says nothing"
        row, column = self._places(columns, least=1)
        part = np.ones(len(row)) if columns else 1.0 / self.count[row]
        return Pairs(row, model[row], self.ratings[row, column], part)

    def _places(self, columns: list[int] | None, least: int) -> tuple[Places, Places]:
        there = self.there & (self.count >= least)[:, None]
        if columns is not None:
            wanted = np.zeros(there.shape[1], dtype=bool)
            wanted[columns] = True
            there = there & wanted
        row, column = np.nonzero(there)
        return row, column

    def _one(self, row: Places, left_out: Places) -> Floats:
        """The rating that is left out of its row; NaN where none is."""
        return np.where(left_out >= 0, self.ratings[row, left_out], np.nan)


class ValueRaters(Raters):
    """Ratings are numbers; raters agree on their mean."""

    @property
    def no_answer(self) -> float:
        return float(np.nanmean(self.ratings)) if self.there.any() else 0.0

    def _scorer_of(self, pairs: Pairs) -> Scorer:
        return ValuePairs(pairs)

    def _consensus(self, row: Places, left_out: Places, model: Floats | None, part: Floats) -> Pairs:
        mine, without = self._one(row, left_out), left_out >= 0
        predictions = mine if model is None else model[row]
        total = np.where(self.there, self.ratings, 0.0).sum(axis=1)[row] - np.where(without, mine, 0.0)
        return Pairs(row, predictions, total / (self.count[row] - without), part)


class LabelRaters(Raters):
    """Ratings are one of K labels; raters agree on the one that most of them gave. Equals share the row."""

    def __init__(
        self, ratings: Floats, label_count: int, *, ordered: bool = False, identified: bool = False
    ) -> None:
        super().__init__(ratings, identified=identified)
        self.label_count, self.ordered = label_count, ordered
        each = [(self.ratings == label).sum(axis=1) for label in range(label_count)]
        self.votes = np.stack(each, 1)  # (N, K)

    @property
    def no_answer(self) -> float:
        return float(self.label_count)  # the position behind the last label: always wrong

    def _scorer_of(self, pairs: Pairs) -> Scorer:
        return LabelPairs(pairs, self.label_count, ordered=self.ordered)

    def _consensus(self, row: Places, left_out: Places, model: Floats | None, part: Floats) -> Pairs:
        mine, without = self._one(row, left_out), left_out >= 0
        predictions = mine if model is None else model[row]
        votes = self.votes[row].astype(np.int64)
        votes[np.flatnonzero(without), mine[without].astype(np.intp)] -= 1
        most = votes == votes.max(axis=1, keepdims=True)
        pair, label = np.nonzero(most)
        shared = part[pair] / most.sum(axis=1)[pair]
        return Pairs(row[pair], predictions[pair], label.astype(np.float64), shared)
