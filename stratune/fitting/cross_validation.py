"""Cross-validation in the place of a validation part, where rows are too few to keep some from training.

Each fold is answered by a model of the rows of the other folds. These out-of-fold answers are what the
answers to a validation part are elsewhere: they rank the strategies, set thresholds and calibrate. The model
that is kept is fitted on all rows in the same way, so its last step is kept, and what else a fit chooses (the
strength of a penalty), it chooses by cross-validation within its own rows.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from stratune.fitting.kept_answers import mean_of_kept
from stratune.model.answers import Scored, gathered
from stratune.target.within_folds import rows_of_folds
from stratune.watch import Prefixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.fitting.trained import Trained
    from stratune.strategy import Baseline, Candidate, Combination, Distillation, Strategy
    from stratune.watch import Progress, Step

# What becomes of the training rows: a model is fitted to them, some are shown in prompts, or nothing. A
# combination has what its members answered.
Use = Literal["fitted", "shown", "nothing", "members"]


class FitOn(Protocol):
    """Fit on the training rows of a split, in a folder for checkpoints."""

    def __call__(self, split: Split, folder: Path | None, progress: Progress, /) -> Trained: ...


@dataclass(frozen=True)
class CrossValidation:
    """`answer`: a model's answers to rows; None where they cost money and nothing asks for them."""

    split: Split
    fit: FitOn
    answer: Callable[[Trained, Dataset, Progress], Scored | None]
    members: Sequence[Path] = ()  # run folders, of a combination

    def fitted(self, candidate: Candidate, folder: Path | None, progress: Progress) -> Trained:
        """The model that is kept, with the answers of the folds as validation, and what all of it cost."""
        use = candidate.fitted_by(_Use())
        if use == "members":
            trained = self.fit(self.split, folder, progress)
            if trained.validation is None:
                trained.validation = mean_of_kept(self.members, self.split)
            return trained
        if use == "nothing":
            trained = self.fit(self.split, folder, progress)
            trained.validation = self.answer(trained, self.split.val, progress)
            return trained
        return self._of_folds(folder, progress, refit=use == "fitted")

    def _of_folds(self, folder: Path | None, progress: Progress, *, refit: bool) -> Trained:
        """`refit`: on all rows. Prompts show few of them anyway: those of the first fold's model are kept."""
        kept: Trained | None = None
        answers: list[Scored | None] = []
        numbers = sorted(set(self.split.folds))
        fits = len(numbers) + refit
        seconds, seen, price = 0.0, 0, 0.0
        for turn, fold in enumerate(numbers, start=1):
            told = _Turn(progress, f"fold {turn} of {len(numbers)}: ", f"fold {turn}", turn, fits)
            part = self.split.without(fold)
            if turn == 1:  # what test will cost is part of what a server's answers cost
                part = replace(part, test=self.split.test)
            trained = self.fit(part, None if folder is None else folder / f"fold-{fold}", told)
            answers.append(self.answer(trained, part.val, told))
            seconds, seen = seconds + trained.train_seconds, seen + (trained.examples_seen or 0)
            price += trained.price or 0.0
            if kept is not None:
                kept.predictor.model.count_with(trained.predictor.model)
            elif not refit:
                kept = trained
            is_net = trained.precision is not None
            del trained
            if is_net:
                gc.collect()  # a net has circles: without this two of them would be in memory
        if kept is None:
            kept = self.fit(self.split, folder, _Turn(progress, "all rows: ", "", fits, fits))
            seconds, seen = seconds + kept.train_seconds, seen + (kept.examples_seen or 0)
        kept.predictor.about["fingerprint"] = self.split.fingerprint
        kept.train_seconds, kept.all_examples_seen = seconds, seen or None
        kept.price = None if kept.price is None else price
        asked = [one for one in answers if one is not None]
        if len(asked) == len(numbers):
            kept.validation = gathered(asked, rows_of_folds(self.split.folds))
        return kept


class _Turn(Prefixed):
    """One fit of several that are about as long: to who watches, they are one training."""

    def __init__(self, whole: Progress, prefix: str, of: str, turn: int, fits: int) -> None:
        super().__init__(whole, prefix, of)
        self.turn, self.fits = turn, fits

    def step(self, step: Step) -> None:
        done = (self.turn - 1) * step.steps + step.step
        super().step(replace(step, step=done, steps=self.fits * step.steps))


class _Use:
    """By the kind of candidate (strategy/base.py)."""

    def strategy(self, strategy: Strategy) -> Use:
        if strategy.readout.language_model:
            return "shown" if strategy.trains or strategy.readout.shows_rows else "nothing"
        return "fitted" if strategy.trains or strategy.solved else "nothing"

    def baseline(self, baseline: Baseline) -> Use:
        return "fitted"

    def combination(self, combination: Combination) -> Use:
        return "members"

    def distillation(self, distillation: Distillation) -> Use:
        return "fitted"
