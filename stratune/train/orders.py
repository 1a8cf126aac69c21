"""Orders: which trial is trained next, how far, and which one is chosen in the end.

    while (turn := order.next(done)) is not None: ...
    order.chosen(done)

An order keeps no state, as samplers do not: it reads all from the trials so far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from stratune.evaluate.selection import Selection
from stratune.train.halving import WHOLE, Part, going_on, rungs_of
from stratune.train.sampler import Sampler
from stratune.train.space import Settings
from stratune.train.trial import Trial


@dataclass(frozen=True)
class Turn:
    number: int  # of the trial, in the order first tried
    settings: Settings
    part: Part = WHOLE


class Order(Protocol):
    """`done`: trials in the order of their numbers."""

    def next(self, done: Sequence[Trial]) -> Turn | None:
        """None: there is none left."""

    def alive(self, done: Sequence[Trial]) -> set[int]:
        """Numbers of the trials that may be trained on, or chosen: their checkpoints are kept."""

    def chosen(self, done: Sequence[Trial]) -> Trial | None:
        """None: none of them was trained to its end."""


@dataclass(frozen=True)
class OneByOne:
    """Each to its end; the best is chosen, of equals the earlier. `seconds`: after which none is begun."""

    sampler: Sampler
    trials: int
    selection: Selection
    seconds: float | None = None

    def next(self, done: Sequence[Trial]) -> Turn | None:
        spent = self.seconds is not None and sum(trial.took for trial in done) >= self.seconds
        settings = self.sampler.ask(done) if len(done) < self.trials and not spent else None
        return None if settings is None else Turn(len(done), settings)

    def alive(self, done: Sequence[Trial]) -> set[int]:
        best = self.chosen(done)
        return set() if best is None else {best.number}

    def chosen(self, done: Sequence[Trial]) -> Trial | None:
        well = [trial for trial in done if trial.error is None]
        return self.selection.best(well, lambda trial: trial.val) if well else None


@dataclass(frozen=True)
class Halving:
    """Rung after rung (halving.py), on each the best of the one before.

    Chosen is the best of those that came to their end: the one that is left, or one that was finished early,
    by patience or because its fit has no steps; of equals the earlier. A trial that fails gives its place to
    the next best. `settings`: of all trials, the default ones first. `loss`: the metric that orders equals,
    as within a training (loop.Evaluation): on the first rung all trials often answer with one label, and the
    selection's metric is the same for all or undefined.
    """

    settings: Sequence[Settings]
    selection: Selection
    loss: str

    @cached_property
    def rungs(self) -> tuple[float, ...]:
        """Shares of the steps."""
        return tuple(rung.share for rung in rungs_of(len(self.settings)))

    @cached_property
    def _places(self) -> tuple[int, ...]:
        return tuple(rung.trials for rung in rungs_of(len(self.settings)))

    def next(self, done: Sequence[Trial]) -> Turn | None:
        if len(done) < len(self.settings):
            return Turn(len(done), self.settings[len(done)], Part(self.rungs[0], self.rungs))
        for rung, share in enumerate(self.rungs):
            for trial in self._waiting(done, rung):
                return Turn(trial.number, trial.settings, Part(share, self.rungs))
        return None

    def alive(self, done: Sequence[Trial]) -> set[int]:
        best = self.chosen(done)
        return {trial.number for trial in (*self._going_on(done), *([best] if best else []))}

    def chosen(self, done: Sequence[Trial]) -> Trial | None:
        ended = [trial for trial in done if len(trial.rungs) == len(self.rungs) and trial.error is None]
        return self.selection.best(ended, lambda trial: trial.val) if ended else None

    def _going_on(self, done: Sequence[Trial]) -> list[Trial]:
        """Those that are not yet trained on their rung, and the best so far of those that are."""
        for rung in range(len(self.rungs) - 1):
            waiting = self._waiting(done, rung)
            if waiting or (rung == 0 and len(done) < len(self.settings)):
                return [*waiting, *self._on(done, rung + 1)]
        return self._waiting(done, len(self.rungs) - 1)

    def _waiting(self, done: Sequence[Trial], rung: int) -> list[Trial]:
        return [trial for trial in self._on(done, rung) if len(trial.rungs) <= rung]

    def _on(self, done: Sequence[Trial], rung: int) -> list[Trial]:
        """Those that are or were trained on a rung, best first by the one before; none that failed there."""
        if rung == 0:
            return [trial for trial in done if trial.error is None or trial.rungs]
        before = [
            trial
            for trial in self._on(done, rung - 1)
            if len(trial.rungs) > rung or (len(trial.rungs) == rung and trial.error is None)
        ]
        ordered = sorted(before, key=lambda trial: self._standing(trial.rungs[rung - 1].val), reverse=True)
        return going_on(ordered, self._places[rung], lambda trial: trial.number == 0)

    def _standing(self, val: Mapping[str, float]) -> tuple[float, float]:
        """Higher is better."""
        loss = val.get(self.loss, math.inf)
        return self.selection.score(val), -math.inf if math.isnan(loss) else -loss
