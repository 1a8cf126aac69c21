"""The test rows that every model answers, as they are and after each perturbation.

A row that a perturbation leaves as it is keeps its answer, and is not asked about again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.comparison.cases import Case, cell_text, judged
from stratune.comparison.flips import Answered, Truths, distances, flipped
from stratune.data.labels import cells
from stratune.data.rows import group_numbers, text_columns
from stratune.evaluate.intervals import Interval
from stratune.model.answers import Scored
from stratune.perturb import Perturbation
from stratune.perturb.rows import Changed, Rows, perturbed, sampled
from stratune.report.texts import CHARACTERS
from stratune.watch import Progress

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.evaluate.paired import Difference
    from stratune.predictor.predictor import Predictor
    from stratune.task import Task

EXAMPLES = 5  # of each model and perturbation


@dataclass(frozen=True)
class Trial:
    """A perturbation at a strength, and the rows after it."""

    one: Perturbation
    strength: float
    rows: Changed


@dataclass(frozen=True)
class Bench:
    """The test rows that all models answer. `keep`: whether examples have their texts."""

    ids: list[str]
    texts: list[str]
    pairs: list[str] | None
    labels: list[Any]
    truths: Truths
    keep: bool

    @classmethod
    def of(cls, split: Split, rows: int, seed: int, *, keep: bool) -> Bench:
        whole: Dataset = split.test
        kept = whole.select(sampled([str(name) for name in whole["id"][:]], rows, seed))
        labels = cells(kept)
        groups = group_numbers(kept["group"][:]) if "group" in kept.column_names else None
        truths = Truths(split.task, split.task.target.truth(labels), groups)
        return cls([str(name) for name in kept["id"][:]], *text_columns(kept), labels, truths, keep)

    @property
    def task(self) -> Task:
        return self.truths.task

    def trial(self, one: Perturbation, strength: float, seed: int) -> Trial:
        rows = Rows(self.ids, self.texts, self.pairs, [self._wrong(i) for i in range(len(self.ids))])
        return Trial(one, strength, perturbed(rows, one, strength, seed))

    def _wrong(self, i: int) -> list[str]:
        """The labels that row `i` does not have; of numbers the end of the scale that is farther away."""
        target, truth = self.task.target, self.truths.truth
        if target.is_numeric:
            low, high = float(truth.min()), float(truth.max())
            return [] if low == high else [f"{low if truth[i] - low > high - truth[i] else high:g}"]
        own = truth[i] if truth.ndim == 1 else np.flatnonzero(truth[i] > 0)
        return [label for k, label in enumerate(target.labels) if k not in np.atleast_1d(own)]

    def stressed(
        self, model: Predictor, trials: Sequence[Trial], cases: Sequence[Case], progress: Progress
    ) -> dict[str, Any]:
        """What one model does: `before`, a mapping a perturbation, and how it did on the cases."""
        first = model.answer(self.texts, self.pairs)
        before = self.truths.answered(first)
        progress.rows(1)
        after: list[Answered] = []
        skipped = []
        for trial in trials:
            scored = self._answers(model, trial, first)
            if scored is None:
                skipped.append(trial.one.name)
            else:
                after.append(before if scored is first else self.truths.answered(scored))
            progress.rows(1)
        done = [trial for trial in trials if trial.one.name not in skipped]
        changes = self.truths.changes(before, after)
        effects = [
            self._effect(trial, before, one, change)
            for trial, one, change in zip(done, after, changes, strict=True)
        ]
        return {
            "before": _ends(before.value),
            "consistent": self._consistent(before, after),
            "effects": effects,
            **({"cases": judged(cases, model)} if cases else {}),
        }

    def _answers(self, model: Predictor, trial: Trial, first: Scored) -> Scored | None:
        """None where the perturbation is of something that the model does not have."""
        if trial.one.kind == "prompt":
            other = model.model.labels_backwards()
            return None if other is None else replace(model, model=other).answer(self.texts, self.pairs)
        again = np.flatnonzero(trial.rows.changed)
        if not len(again):
            return first
        texts, pairs = trial.rows.texts, trial.rows.pairs
        asked = model.answer([texts[i] for i in again], None if pairs is None else [pairs[i] for i in again])
        if len(again) == len(self.ids):
            return asked
        return _joined(first, asked, np.asarray(trial.rows.changed))

    def _effect(
        self, trial: Trial, before: Answered, after: Answered, change: Difference | None
    ) -> dict[str, Any]:
        named = trial.rows.named
        rates = self.truths.rates(before, after, named)
        return {
            "perturbation": trial.one.name,
            "after": _ends(after.value),
            "change": None if change is None else change.to_dict(),
            "flips": _ends(rates.flips),
            "shift": _ends(rates.shift),
            "broken": rates.broken,
            "mended": rates.mended,
            "led": _ends(rates.led),
            "examples": self._examples(trial, before, after),
        }

    def _consistent(self, before: Answered, after: Sequence[Answered]) -> dict[str, float] | None:
        """The share of rows that have the same answer under every perturbation."""
        if self.task.target.is_numeric or not after:
            return None
        same = np.ones(len(self.ids), dtype=bool)
        for one in after:
            same &= ~flipped(before.decided, one.decided)
        return _ends(self.truths.share(same))

    def _examples(self, trial: Trial, before: Answered, after: Answered) -> list[dict[str, Any]]:
        """The rows that flip and whose probabilities move most, those first that were right; of numbers
        those that move most.
        """
        away = np.nan_to_num(distances(before, after), nan=np.inf)  # an answer that is gone is farthest
        numeric = self.task.target.is_numeric
        rows = np.flatnonzero(away > 0 if numeric else flipped(before.decided, after.decided))
        broken = np.zeros(len(self.ids), bool) if numeric else self.truths.right(before.decided)
        order = sorted(rows.tolist(), key=lambda i: (not broken[i], -away[i], i))[:EXAMPLES]
        answers = [self.task.target.named(one.decided) for one in (before, after)]
        return [
            {
                "id": self.ids[i],
                "truth": cell_text(self.labels[i]),
                "before": cell_text(answers[0][i]),
                "after": cell_text(answers[1][i]),
                **(self._texts(trial, i) if self.keep else {}),
            }
            for i in order
        ]

    def _texts(self, trial: Trial, i: int) -> dict[str, str]:
        found = {"text": self.texts[i], "changed": trial.rows.texts[i]}
        if self.pairs is not None and trial.rows.pairs is not None:
            found |= {"text_pair": self.pairs[i], "changed_pair": trial.rows.pairs[i]}
        return {name: text[:CHARACTERS] for name, text in found.items()}


def _joined(first: Scored, asked: Scored, changed: NDArray[np.bool_]) -> Scored:
    """All rows' answers: `asked` of those that changed, `first` of the others."""

    def put(old: Any, new: Any) -> Any:
        whole = np.array(old)
        whole[changed] = new
        return whole

    invalid = None
    if first.invalid is not None or asked.invalid is not None:
        none = np.zeros(len(changed), dtype=bool)
        old = none if first.invalid is None else first.invalid
        invalid = put(old, False if asked.invalid is None else asked.invalid)
    decided = None
    if first.decided is not None and asked.decided is not None:
        decided = put(first.decided, asked.decided)
    predictions = put(first.predictions, asked.predictions)
    return Scored(predictions, put(first.tokens_cut, asked.tokens_cut), invalid=invalid, decided=decided)


def _ends(found: Interval | None) -> dict[str, float] | None:
    return None if found is None else found.to_dict()
