"""Prompt search: several prompts are scored on validation, one is kept, and all scores are reported.

The best of many prompts on few rows is partly luck. So of all prompts within one standard error of the best
metric, the one with the lowest loss (log loss, or RMSE of values) is kept, because the loss varies less
between samples of rows. This is the one-standard-error rule of Breiman et al. (1984), with the lowest loss in
the place of the simplest tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stratune.data.rows import group_numbers, text_columns
from stratune.errors import ConfigError
from stratune.prompt.calibrate import CONTENT_FREE, bias_of, scale_of
from stratune.prompt.trial import prompt_trial
from stratune.readout.proposing import cases_of, propose, sample
from stratune.train.trial import Trial

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.model.answers import Scored
    from stratune.model.base import Model
    from stratune.model.prompted import PromptedModel
    from stratune.prompt.asking import Asking
    from stratune.watch import Progress

    Floats = NDArray[np.float64]
    ReaderOf = Callable[[Any, int, Dataset], Asking]

TINY = 1e-300  # probabilities are clipped here before the logarithm


class Options(Protocol):
    """The options of a readout that the search uses (readout/words.py)."""

    @property
    def calibrates(self) -> bool: ...
    @property
    def temperature(self) -> bool: ...
    @property
    def is_plain(self) -> bool: ...
    @property
    def template_name(self) -> str: ...
    @property
    def shots(self) -> int: ...
    @property
    def pick(self) -> str: ...

    @property
    def propose(self) -> int: ...

    def prompts(self) -> Sequence[tuple[Options, int]]: ...

    def instructed(self, instruction: str, number: int) -> Options: ...

    def ways(self) -> list[str]: ...

    def objective(self, task: Any) -> Any: ...


@dataclass(frozen=True)
class _Tried:
    words: Options
    draw: int
    trial: Trial
    reader: Any
    predictions: Floats  # (M, K) calibrated log-probabilities of validation texts or chunks; NaN: invalid
    bias: Floats  # (K,)
    answers: Scored  # before calibration


def choose(
    prompted: PromptedModel,
    model: Model,
    readout: Options,
    reader_of: ReaderOf,
    split: Split,
    progress: Progress,
) -> list[Trial]:
    """Give `prompted` the prompt and the calibration of `readout` that are best on validation.

    `model` predicts texts: it is `prompted` itself, or chunks around it. Returns every trial, the chosen one
    first; empty when there is nothing to choose or to calibrate. `reader_of`: prompts of these options, with
    the demonstrations of a draw from a table.
    """
    from stratune.objective.classes import softmax

    if readout.is_plain:
        return []
    prompts, judge = readout.prompts(), _Judge(split, readout.objective(split.task).predictions)
    tried: list[_Tried] = []
    for number, (words, draw) in enumerate(prompts, start=1):
        progress.stage(f"prompt {number} of {len(prompts)}", len(split.val))
        prompted.reader = reader_of(words, draw, split.train)
        tried += _tries(prompted, model, words, draw, judge, progress, len(tried))
    for number in range(1, readout.propose + 1):
        progress.stage(f"instruction {number} of {readout.propose}", len(split.val))
        tried += _proposed(prompted, model, reader_of, split, judge, progress, tried, number)
    best = _kept(tried, judge)
    prompted.reader = best.reader
    if readout.calibrates:
        bias, scale = _fitted(best, readout, judge)
        prompted.calibrate(bias, scale)
        if (chunks := best.answers.chunks) is not None:
            probabilities = softmax((_logarithms(best.answers) - bias) * scale)
            model.tune(replace(chunks, predictions=probabilities), judge.score_of)
    return [best.trial, *(one.trial for one in tried if one is not best)]


def _kept(tried: Sequence[_Tried], judge: _Judge) -> _Tried:
    """Of those within one standard error of the best metric, the lowest loss; of ties the first."""
    top = judge.selection.best(tried, lambda one: one.trial.val)
    least = judge.within_error(top.predictions, top.answers)
    near = [one for one in tried if judge.selection.score(one.trial.val) >= least]
    return min(near, key=lambda one: one.trial.val[judge.target.validation_loss])


def _proposed(
    prompted: PromptedModel,
    model: Model,
    reader_of: ReaderOf,
    split: Split,
    judge: _Judge,
    progress: Progress,
    tried: Sequence[_Tried],
    number: int,
) -> list[_Tried]:
    """An instruction that the model writes from what the best prompt so far gets wrong in training rows, in
    the place of that prompt's; tried like any.
    """
    best = judge.selection.best(tried, lambda one: one.trial.val)
    asked, others = sample(split.train, prompted.otherwise.seed, number)
    # Demonstrations of rows that are not asked about: a row's own label would stand in its prompt.
    prompted.reader = reader_of(best.words, best.draw, others)
    texts, pairs = text_columns(asked)
    predicted = model(texts, pairs).predicted(split.task)
    instruction = propose(prompted, cases_of(prompted.reader, asked, predicted), number)
    if instruction is None:
        progress.note(f"instruction {number} is left out: the model wrote none, or the same again")
        return []
    words = best.words.instructed(instruction, number)
    try:
        prompted.reader = reader_of(words, best.draw, split.train)
    except ConfigError as error:  # too long for the model's context
        progress.note(f"instruction {number} is left out: {error}")
        return []
    found = _tries(prompted, model, words, best.draw, judge, progress, len(tried))
    said = {"instruction": prompted.reader.renderer.instruction}
    return [replace(one, trial=replace(one.trial, settings=one.trial.settings | said)) for one in found]


def _tries(
    prompted: PromptedModel,
    model: Model,
    words: Options,
    draw: int,
    judge: _Judge,
    progress: Progress,
    before: int,
) -> list[_Tried]:
    """One prompt, run once, with every calibration; so many were tried `before`."""
    answers = model(*judge.texts, progress)
    plain = _logarithms(answers)
    tried: list[_Tried] = []
    for way in words.ways():
        bias = bias_of(way, _answered(plain), lambda: _answered(_logarithms(model(*judge.content_free))))
        predictions = plain - bias
        values = judge.values(predictions, answers)
        pick = words.pick if words.shots else ""
        number = before + len(tried)
        trial = prompt_trial(words.template_name, words.shots, pick, draw, way, values, number)
        tried.append(_Tried(words, draw, trial, prompted.reader, predictions, bias, answers))
    return tried


def _fitted(best: _Tried, readout: Options, judge: _Judge) -> tuple[Floats, float]:
    """(bias, scale) of the calibration, with `temperature` fitted on validation."""
    bias, predictions, answers = best.bias, best.predictions, best.answers
    if not (readout.temperature and len(_answered(predictions))):
        return bias, 1.0
    return bias, scale_of(predictions, lambda scaled: judge.loss(scaled, answers))


def _answered(predictions: Floats) -> Floats:
    """The rows with a valid answer."""
    return predictions[~np.isnan(predictions).any(axis=1)]


def _logarithms(answers: Scored) -> Floats:
    """Log-probabilities (M, K) of texts, or of their chunks."""
    predictions = answers.predictions if answers.levels is None else answers.levels
    if answers.chunks is not None:
        predictions = answers.chunks.predictions
    return np.asarray(np.log(predictions.clip(TINY)))


def _joined(predictions: Floats, answers: Scored) -> Floats:
    """Log-probabilities (M, K) -> probabilities of the texts (N, K)."""
    from stratune.objective.classes import softmax

    probabilities = softmax(predictions)
    return probabilities if answers.chunks is None else answers.chunks.joined(probabilities)


class _Judge:
    """Scores log-probabilities on validation."""

    def __init__(self, split: Split, read: Callable[[Floats], Floats]) -> None:
        self.task = split.task
        self.read = read  # probabilities -> predictions (Objective.predictions)
        self.target, self.selection = split.task.target, split.task.selection
        self.texts = text_columns(split.val)
        self.truth = self.target.truth(split.val["label"][:])
        self.content_free: Any = (
            list(CONTENT_FREE),
            list(CONTENT_FREE) if split.task.text_pair else None,
        )
        self.groups = group_numbers(split.val["group"][:]) if "group" in split.val.column_names else None

    def values(self, predictions: Floats, answers: Scored) -> dict[str, float]:
        """Metrics of calibrated log-probabilities (M, K) of `answers`."""
        return self._values(_joined(predictions, answers), answers.invalid)

    def _values(self, predictions: Floats, invalid: NDArray[np.bool_] | None = None) -> dict[str, float]:
        return self.target.score(self.truth, self.read(predictions), invalid)

    def score_of(self, predictions: Floats) -> float:
        """The metric that selects, of probabilities (N, K) of texts."""
        return self.selection.score(self._values(predictions))

    def loss(self, predictions: Floats, answers: Scored) -> float:
        """Log loss over texts with a valid answer; for values the root mean squared error."""
        probabilities = _joined(predictions, answers)
        rows = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
        if self.target.is_numeric:
            return float(np.sqrt(np.mean((self.read(probabilities[rows])[:, 0] - self.truth[rows]) ** 2)))
        return float(-np.log(probabilities[rows, self.truth[rows]].clip(TINY)).mean())

    def within_error(self, predictions: Floats, answers: Scored) -> float:
        """Score minus one standard error: the lower end of the 68 % bootstrap interval over rows."""
        read = self.read(_joined(predictions, answers))
        invalid = None if answers.invalid is None else answers.invalid[None]
        intervals = self.target.intervals(self.truth, read[None], invalid, groups=self.groups, level=0.68)
        ends = [{name: getattr(one, end) for name, one in intervals.items()} for end in ("low", "high")]
        return min(self.selection.score(values) for values in ends)
