"""The trials of a budget: settings are fitted one after the other, and validation keeps one of them.

A trial that has ended, or has come to the end of a rung, is a line of `trials.jsonl`, and its model is
dropped: one model at a time is in memory. What is left of it is the checkpoint at the end of its training,
while it may go on or be chosen. The chosen one is fitted again from there, which trains no step. So a run
that was killed does what one does that was not.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import torch

from stratune.errors import ConfigError, StratuneError, TrainingError, UnsupportedError, reason
from stratune.files import write_text
from stratune.fitting.trained import Trained
from stratune.strategy import Candidate
from stratune.strategy.space import space_of, with_settings
from stratune.train.course import course_of
from stratune.train.halving import WHOLE, Part
from stratune.train.orders import Order, Turn
from stratune.train.processes import is_main, launched, meet
from stratune.train.searches import SEARCHES, Asked
from stratune.train.settings import Budget
from stratune.train.trial import Reached, Trial, outcome
from stratune.watch import Prefixed, Progress

if TYPE_CHECKING:
    from stratune.data.split import Split

FILE = "trials.jsonl"
# Of the settings alone; torch reports exhausted memory as a RuntimeError. A server that does not answer, a
# backbone that cannot be read or a full disk says nothing of them, and ends the run.
FAILURES = (TrainingError, UnsupportedError, ConfigError, MemoryError, RuntimeError)


class Fit(Protocol):
    """In a folder for checkpoints; a part of the training, where there is one."""

    def __call__(self, one: Candidate, folder: Path, progress: Progress, part: Part = WHOLE) -> Trained: ...


def best_of_trials(
    candidate: Candidate,
    fit: Fit,
    split: Split,
    budget: Budget,
    seed: int,
    *,
    work: Path | None,
    progress: Progress,
    identity: str = "",
) -> Trained:
    """What `fit` makes of the best settings of the budget's trials, the candidate's own first.

    `identity`: of the run; lines of another one in `work` are not gone on with.
    Raises TrainingError when every trial failed; ConfigError for a budget in minutes on several processes.
    """
    if budget.minutes is not None and launched():
        why = "processes that train together do not have the same clock; set `trials`"
        raise ConfigError(why, key="budget.minutes")
    space, own = space_of(candidate, _decided(candidate, split, budget))
    selection, loss = split.task.selection, split.task.target.validation_loss
    seconds = None if budget.minutes is None else 60 * budget.minutes
    asked = Asked(space, own, seed, candidate.name, budget.most_trials, seconds, selection, loss)
    with TemporaryDirectory() if work is None else nullcontext(work) as folder:
        search = _Search(candidate, fit, split, Path(folder), progress, identity, budget)
        if not space:
            trained = fit(candidate, search.folder(0), progress)
            trained.notes = [*trained.notes, f"1 trial{search.of}: there is nothing to choose"]
            return trained
        return search.run(SEARCHES[budget.search](asked))


def _decided(candidate: Candidate, split: Split, budget: Budget) -> tuple[str, ...]:
    """Options that the number of rows decides, whatever a trial says: steps of few rows are smaller."""
    recipe = getattr(candidate, "recipe", None)  # baselines have none
    if recipe is None:
        return ()
    decides = course_of(len(split.train), budget, recipe).batch_size != recipe.batch_size
    return ("batch_size",) if decides else ()


@dataclass(frozen=True)
class _Search:
    candidate: Candidate
    fit: Fit
    split: Split
    work: Path
    progress: Progress
    identity: str
    budget: Budget

    def run(self, order: Order) -> Trained:
        done = self._read()
        meet()  # no process writes before all have read
        while (turn := order.next(done)) is not None:
            before = done[turn.number] if turn.number < len(done) else Trial(turn.settings, {}, turn.number)
            done[turn.number :] = [self._try(turn, before), *done[turn.number + 1 :]]
            self._keep(done, order.alive(done))
        best = order.chosen(done)
        if best is None:
            first = next(trial.error for trial in done if trial.error is not None)
            failed = "all" if all(trial.error for trial in done) else "the best"
            raise TrainingError(f"{failed} of {len(done)} trials failed; the first: {first}")
        return self._chosen(best, done)

    @property
    def of(self) -> str:
        """How many there are, where that is known before."""
        return f" of {self.budget.trials}" if self.budget.minutes is None else ""

    def folder(self, number: int) -> Path:
        return self.work / f"trial-{number}"

    def _try(self, turn: Turn, before: Trial) -> Trial:
        """`before`: what was known of the trial; costs of a training that went on are those of all of it."""
        started, part = time.perf_counter(), turn.part
        end = f", to {part.until:.0%} of the steps" if part.until < 1 else ""
        try:
            told = Prefixed(
                self.progress, f"trial {turn.number + 1}{self.of}{end}: ", f"trial {turn.number + 1}"
            )
            trained = self.fit(
                with_settings(self.candidate, turn.settings), self.folder(turn.number), told, part
            )
        except FAILURES as error:
            why = str(error) if isinstance(error, StratuneError) else reason(error)
            took = time.perf_counter() - started
            seconds = (before.seconds or 0.0) + took
            found = replace(before, val={}, seconds=seconds, took=before.took + took, error=why)
        else:
            values, position = trained.validation_metrics(self.split), trained.position
            last = part.until if position is not None and not position.finished else 1.0
            ends = [share for share in part.rungs[len(before.rungs) :] if share <= last]
            found = Trial(
                turn.settings,
                values,
                turn.number,
                trained.train_seconds,
                max(trained.train_seconds, before.took + time.perf_counter() - started),
                examples_seen=trained.examples_seen,
                price=trained.price,
                tried=trained.tried(),
                prompts=tuple(trained.prompts),
                share=position.share if position and part.rungs else None,
                rungs=(*before.rungs, *(Reached(share, values) for share in ends)),
            )
            del trained
        gc.collect()  # a net has circles: without this two of them would be in memory
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return found

    def _chosen(self, best: Trial, done: Sequence[Trial]) -> Trained:
        """With the costs of all trials: without the others there is none to choose."""
        told = Prefixed(self.progress, f"trial {best.number + 1}, chosen: ")
        part = Part(rungs=tuple(reached.share for reached in best.rungs))
        trained = self.fit(with_settings(self.candidate, best.settings), self.folder(best.number), told, part)
        trained.trials = [best, *(trial for trial in done if trial is not best)]
        if is_main():
            self._write(trained.trials)
        trained.train_seconds = sum(trial.seconds or 0.0 for trial in done)
        trained.price = _sum([trial.price for trial in done])
        trained.all_examples_seen = _sum([trial.examples_seen for trial in done])
        trained.notes = [*trained.notes, outcome(trained.trials, self.split.task.selection)]
        return trained

    def _keep(self, done: Sequence[Trial], alive: set[int]) -> None:
        """On disk, whole: a kill leaves the lines of before or those of now."""
        if not is_main():
            return
        self._write(done)
        for trial in done:
            if trial.number not in alive:
                remove_checkpoints(self.folder(trial.number))

    def _write(self, trials: Sequence[Trial]) -> None:
        lines = [json.dumps({"run": self.identity, **trial.line()}) + "\n" for trial in trials]
        write_text(self.work / FILE, "".join(lines))

    def _read(self) -> list[Trial]:
        """The trials of this very run that have ended; none where all failed, or a line is damaged: these are
        tried again.
        """
        path = self.work / FILE
        if not path.is_file():
            return []
        try:
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            done = sorted(map(Trial.of_line, lines), key=lambda trial: trial.number)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return []
        if any(line.get("run") != self.identity for line in lines):
            return []
        return done if any(trial.error is None for trial in done) else []


def remove_checkpoints(folder: Path) -> None:
    """Of a trial, and of the folds in it. Other files stay."""
    for fold in folder.glob("fold-*"):
        remove_checkpoints(fold)
    for checkpoint in folder.glob("checkpoint-*.safetensors"):
        checkpoint.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _sum(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
