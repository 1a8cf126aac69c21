"""What attacks on one model came to, in numbers; and how two models that were attacked differ.

A row counts as attackable where the model is right about it. Success is the share of these rows that the
search (perturb/search.py) made wrong. `after` is the accuracy on all rows that is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.comparison.asking import Asking
from stratune.comparison.bench import Bench
from stratune.comparison.cases import cell_text
from stratune.comparison.flips import RESAMPLES
from stratune.evaluate.intervals import bootstrap
from stratune.evaluate.paired import Measured, differences, measured
from stratune.evaluate.replicates import replicates
from stratune.evaluate.row_means import ACCURACY, RowMean
from stratune.perturb.search import Outcome, Victim, by_chance, greedy
from stratune.perturb.substitutes import Substitutes
from stratune.report.texts import CHARACTERS
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.evaluate.arrays import Flags
    from stratune.predictor.predictor import Predictor

EXAMPLES = 10  # of each model


@dataclass(frozen=True)
class Settings:
    """`how` words are changed; `queries` of a row; `changes`: the share of its words that may change."""

    how: Substitutes
    queries: int
    changes: float
    seed: int


@dataclass(frozen=True)
class Attack:
    """On one model and N rows: `right` (N,) about them as they are, and of each row that is attackable what
    the search, and chance, came to.
    """

    bench: Bench
    right: Flags
    search: list[Outcome]
    chance: list[Outcome]
    answered: dict[int, Any]  # the wrong label that the search got, by row

    @classmethod
    def on(
        cls, model: Predictor, bench: Bench, how: Settings, name: str = "", progress: Progress = SILENT
    ) -> Attack:
        asking = Asking(model, bench, progress)
        probabilities, wrong = asking.as_they_are()
        right = ~wrong
        victims = [
            Victim.of(
                i, bench.ids[i], asking.texts(i), float(probabilities[i]), how.how, how.changes, how.seed
            )
            for i in np.flatnonzero(right).tolist()
        ]
        progress.stage(name, max(1, 2 * how.queries * len(victims)))
        search = greedy(victims, asking, how.queries, how.seed)
        progress.rows(how.queries * len(victims) - sum(one.queries for one in search))
        chance = by_chance(victims, asking, how.queries, how.seed)
        progress.rows(how.queries * len(victims) - sum(one.queries for one in chance))
        answered = {
            one.victim.row: asking.wrong_answer(one.victim.row, one.texts) for one in search if one.flipped
        }
        return cls(bench, right, search, chance, answered)

    @property
    def survives(self) -> Flags:
        """(N,) right, and right still after the attack."""
        left = self.right.copy()
        left[[one.victim.row for one in self.search if one.flipped]] = False
        return left

    def flips(self, outcomes: Sequence[Outcome]) -> Flags:
        """(N,) rows that were made wrong."""
        found = np.zeros(len(self.right), dtype=bool)
        found[[one.victim.row for one in outcomes if one.flipped]] = True
        return found

    def to_dict(self) -> dict[str, Any]:
        done = [one for one in self.search if one.flipped]
        return {
            "right": int(self.right.sum()),
            "unchangeable": sum(not one.victim.own for one in self.search),
            "before": self._share(self.right),
            "after": self._share(self.survives),
            "success": self._share(self.flips(self.search), self.right),
            "chance": self._share(self.flips(self.chance), self.right),
            "gain": self._gain(),
            "queries": _mean([one.queries for one in self.search]),
            "changed": _mean([one.share for one in done]),
            "chance_queries": _mean([one.queries for one in self.chance]),
            "chance_changed": _mean([one.share for one in self.chance if one.flipped]),
            "examples": [self._example(one) for one in done[:EXAMPLES]],
        }

    def _share(self, which: Flags, of: Flags | None = None) -> dict[str, float] | None:
        """Of the rows `of`, with its interval; None where there are none."""
        of = np.ones(len(which), dtype=bool) if of is None else of
        if not of.any():
            return None
        groups = self.bench.truths.groups
        groups = None if groups is None else groups[of]
        one = RowMean(which[of].astype(np.float64), ACCURACY)
        return bootstrap([one], int(of.sum()), groups=groups)[ACCURACY].to_dict()

    def _gain(self) -> dict[str, float] | None:
        """Success of the search less that of chance, on the same rows."""
        sides = self.flips(self.search), self.flips(self.chance)
        return compared(*sides, self.right, self.bench.truths.groups)

    def _example(self, one: Outcome) -> dict[str, Any]:
        """`words`: text of the row, where the word began, the word and its substitute, in order."""
        row, bench = one.victim.row, self.bench
        found = {
            "id": bench.ids[row],
            "truth": cell_text(bench.labels[row]),
            "after": cell_text(self.answered[row]),
            "queries": one.queries,
        }
        if not bench.keep:
            return found
        shown = [place for place in one.changed if place.end <= CHARACTERS]
        words = [[one.part, one.start, one.word] for one in shown]
        pieces = sorted((*head, one.changed[place]) for head, place in zip(words, shown, strict=True))
        texts = [text[:CHARACTERS] for text in one.victim.texts]
        return {**found, "texts": texts, "words": [list(piece) for piece in pieces]}


def _mean(numbers: Sequence[float]) -> float | None:
    return float(np.mean(numbers)) if numbers else None


def compared(
    first: Flags, second: Flags, of: Flags, groups: NDArray[np.intp] | None
) -> dict[str, float] | None:
    """The share of the rows `of` that `first` (N,) has, less that of `second`; None where there are none."""
    rows = int(of.sum())
    if not rows:
        return None
    groups = None if groups is None else groups[of]

    def side(which: Flags) -> Measured:
        scorers = [RowMean(which[of].astype(np.float64), ACCURACY)]
        drawn = replicates(scorers, rows, groups=groups, resamples=RESAMPLES)
        return measured(scorers, [0], drawn, [ACCURACY], rows, groups)

    (found,) = differences([(side(first), side(second))], ACCURACY)
    return None if found is None else found.to_dict()


def between(attacks: Sequence[tuple[str, Attack]]) -> list[dict[str, Any]]:
    """Every two models on the same texts: `success`, on the rows that both were right about, and `after`, the
    accuracy that is left, on all rows.
    """
    found = []
    for (a, one), (b, other) in combinations(attacks, 2):
        groups = one.bench.truths.groups
        both, every = one.right & other.right, np.ones(len(one.right), dtype=bool)
        sides = {
            "success": (one.flips(one.search), other.flips(other.search), both),
            "after": (one.survives, other.survives, every),
        }
        for name, (first, second, of) in sides.items():
            change = compared(first, second, of, groups)
            found.append({"a": a, "b": b, "of": name, "rows": int(of.sum()), "change": change})
    return found
