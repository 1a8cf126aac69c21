"""measure_gap: what a random split flatters, on groups (authors, speakers) that a model has not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stratune.data.folds import Parts, group_folds, one_group_folds, random_folds, rounds
from stratune.data.labels import cells
from stratune.data.rows import group_numbers, text_columns
from stratune.data.split import Split
from stratune.errors import ConfigError, DataError, TrainingError
from stratune.evaluate.intervals import Interval, interval_of
from stratune.evaluate.replicates import resampled
from stratune.evaluate.scoring import Scorer, mean_of_shared, score
from stratune.fitting.fit import train
from stratune.strategy import parse_strategy
from stratune.target.within_folds import WithinFolds
from stratune.train.settings import Budget
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.model.answers import Scored
    from stratune.task import Task

    Floats = NDArray[np.float64]
    Plans = list[list[Parts]]  # the rounds of each time that rows were dealt out

MOST_GROUPS = 50  # of leave one group out: it trains a model for each
RESAMPLES = 1000
RANDOM, GROUPED, ONE_OUT = "random", "grouped", "one group out"


class Answers(NamedTuple):
    """Of N rows: predictions (N, C), and what was decided of them, in the shape of the truth."""

    predictions: Floats
    decided: NDArray[Any]


@dataclass(frozen=True)
class Folded:
    """One way of folding: every row tested once a time, by the model of its fold (within_folds.py)."""

    models: int
    score: Interval  # of the task's metric
    metrics: Mapping[str, float]  # all of them


@dataclass(frozen=True)
class Gap:
    """`gap` is how much better random folds look than grouped ones, above zero where they flatter.

    Intervals are of groups drawn again, the same for both, and of the times that rows were dealt out.
    """

    metric: str
    rows: int
    groups: int
    by: Mapping[str, Folded]
    gap: Interval
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure_gap(
    table: Dataset,
    task: Task,
    *,
    folds: int = 5,
    repeats: int = 3,
    seed: int = 0,
    strategy: str | dict[str, Any] = "tfidf",
    backbone: str | None = None,
    epochs: float | None = None,
    progress: Progress = SILENT,
) -> Gap:
    """`table` is canonical, with its labels in `task` and a group of every row.

    `strategy` is trained for each fold, and its checkpoints and choices see a fold of validation, never the
    test. Rows are dealt out `repeats` times. Leave one group out is done once, where there are at most
    MOST_GROUPS.
    ConfigError for more folds than groups, DataError where the training rows of a round lack a label.
    """
    if repeats < 1:
        raise ConfigError(f"{repeats} is below 1", key="repeats")
    target, selection = task.target, task.selection
    groups, truth = table["group"][:], target.truth(table["label"][:])
    plans, notes = _plans(target.strata(cells(table)), groups, folds, repeats, seed), []
    for name, times in [*plans.items()]:
        if (why := _lacking(times, truth, task)) is not None:
            if name != ONE_OUT:
                raise DataError(f"{name} folds: {why}: take fewer --folds, or leave the label out")
            notes.append(f"{name} was not done: {why}")
            del plans[name]

    def answer(parts: Parts) -> Scored:
        """Of the test rows."""
        seen, chosen_on, asked = (table.select(own) for own in (parts.train, parts.val, parts.test))
        split = Split(seen, chosen_on, asked, fingerprint="", task=task)
        model = train(parse_strategy(strategy), backbone, task, split, Budget(epochs=epochs), seed).predictor
        return model.answer(*text_columns(asked))

    answers = {name: _answers(answer, truth, task, plan, progress, name) for name, plan in plans.items()}
    scorers = {
        name: [
            WithinFolds(target, truth, one.predictions, [parts.test for parts in plan], one.decided)
            for one, plan in zip(times, plans[name], strict=True)
        ]
        for name, times in answers.items()
    }
    means = {
        name: mean_of_shared([score(one, len(table)) for one in times]) for name, times in scorers.items()
    }
    for name in [name for name, values in means.items() if selection.value(values) is None]:
        if name != ONE_OUT:
            said = answers[name][0].predictions
            raise TrainingError(target.why_undefined(task.metric, truth, said, f"{name} folds"))
        notes.append(f"{name} is not shown: {task.metric} is undefined within every group")
        del means[name], scorers[name]
    draws = _draws(scorers, len(table), task.metric, group_numbers(groups), seed)
    by = {
        name: Folded(
            sum(map(len, plans[name])), interval_of(means[name][task.metric], draws[name]), means[name]
        )
        for name in means
    }
    looks = by[RANDOM].score.value - by[GROUPED].score.value
    gap = interval_of(selection.sign * looks, selection.sign * (draws[RANDOM] - draws[GROUPED]))
    return Gap(task.metric, len(table), len(set(groups)), by, gap, tuple(notes))


def _plans(
    labels: Sequence[str], groups: Sequence[str], folds: int, repeats: int, seed: int
) -> dict[str, Plans]:
    seeds = range(seed, seed + repeats)
    grouped = [group_folds(labels, groups, folds, one) for one in seeds]
    plans = {
        RANDOM: [list(rounds(random_folds(labels, folds, one))) for one in seeds],
        GROUPED: [list(rounds(one)) for one in grouped],
    }
    if len(set(groups)) <= MOST_GROUPS:
        plans[ONE_OUT] = [list(rounds(one_group_folds(groups), grouped[0]))]
    return plans


def _lacking(plans: Plans, truth: NDArray[Any], task: Task) -> str | None:
    """What the training rows of some round do not have."""
    if not task.target.one_label:
        return None
    for plan in plans:
        for number, parts in enumerate(plan, start=1):
            if missing := set(range(len(task.labels))) - set(truth[parts.train].tolist()):
                label = task.labels[min(missing)]
                return f"in round {number} of {len(plan)} no training row has the label {label!r}"
    return None


def _answers(
    answer: Callable[[Parts], Scored],
    truth: NDArray[Any],
    task: Task,
    plans: Plans,
    progress: Progress,
    name: str,
) -> list[Answers]:
    """Of each time: a row's prediction by the model that did not see it."""
    progress.stage(f"{name} folds", sum(map(len, plans)))
    answers = []
    for plan in plans:
        predictions, decided = np.full((len(truth), len(task.columns)), np.nan), np.zeros_like(truth)
        for parts in plan:
            scored = answer(parts)
            predictions[parts.test], decided[parts.test] = scored.predictions, scored.decided
            progress.rows(1)
        answers.append(Answers(predictions, decided))
    return answers


def _draws(
    scorers: Mapping[str, Sequence[Scorer]], rows: int, metric: str, groups: NDArray[np.intp], seed: int
) -> dict[str, Floats]:
    """The metric of each way of folding, (RESAMPLES,): the same groups drawn for all, and times of each."""
    drawn: dict[str, list[Floats]] = {name: [] for name in scorers}
    of_rows, of_times = (np.random.Generator(np.random.SFC64([seed, stream])) for stream in (0, 1))
    for weights in resampled(rows, RESAMPLES, of_rows, groups=groups):
        for name, times in scorers.items():
            values = np.stack([one.values(weights)[metric] for one in times])  # (T, b)
            count = len(times)
            mix = of_times.multinomial(count, np.full(count, 1 / count), size=weights.shape[1]) / count
            drawn[name].append(np.einsum("bt,tb->b", mix, values))
    return {name: np.concatenate(values) for name, values in drawn.items()}
