"""Labels that are probably wrong: rows whose own label a model of the other rows holds to be unlikely.

Confident learning (Northcutt, Jiang and Chuang 2021): each row is answered by a model of the other folds. A
row is suspicious where another label is at least as likely as it is, on average, in rows of that label; rows
come in the order of how much likelier the other label is (their normalised margin).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.comparison.flips import Truths
from stratune.data.rows import group_numbers, text_columns
from stratune.data.share_out import enough_folds, folds_of, too_few_folds
from stratune.data.split import assemble
from stratune.errors import ConfigError, DataError
from stratune.fitting.fit import train
from stratune.strategy import parse_strategy
from stratune.train.settings import Budget
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.evaluate.paired import Difference
    from stratune.model.answers import Scored
    from stratune.task import Task


@dataclass(frozen=True)
class Suspect:
    """`own`, `other`: probabilities of the label that the row has, and of the likeliest other one."""

    id: str
    text: str
    pair: str | None
    label: str
    suggested: str
    own: float
    other: float
    confident: bool


@dataclass(frozen=True)
class Effect:
    """Of the task's metric, out of fold on the corrected labels: `before`, by models of the labels as they
    were, `after`, by models of the corrected ones, and their paired difference.
    """

    metric: str
    before: float
    after: float
    change: Difference


@dataclass(frozen=True)
class OutOfFold:
    """Answers each row of a table by a model of the other folds."""

    strategy: str | dict[str, Any] = "features"
    backbone: str | None = "minilm"
    seed: int = 0

    def __call__(self, table: Dataset, task: Task, progress: Progress = SILENT) -> Scored:
        """`table` is canonical. Raises ConfigError for values and sets of labels, and for what is made of
        other runs; DataError where rows are too few for folds.
        """
        if not task.target.one_label or not task.labels:
            why = "suspicious labels are looked for where each row has one label"
            raise ConfigError(f"{task.kind}: {why}", key="kind")
        candidate = parse_strategy(self.strategy)
        if candidate.made_of_runs:
            raise ConfigError(
                f"{candidate.name} is made of other runs; name one that is fitted", key="strategy"
            )
        folds, unit, _ = folds_of(table, task, self.seed)
        if not enough_folds(folds):
            raise too_few_folds(unit)
        whole = {"train": table, "val": table, "test": table.select([])}
        split = assemble(whole, task, folds=folds.tolist())
        trained = train(candidate, self.backbone, task, split, Budget(), self.seed, progress=progress)
        assert trained.validation is not None
        return trained.validation


def suspects(table: Dataset, task: Task, answers: Scored) -> list[Suspect]:
    """Every row, the most suspicious first. `answers`: out of fold."""
    truth = np.asarray(task.target.truth(table["label"][:]))
    probabilities, rows = answers.predictions, np.arange(len(truth))
    own = probabilities[rows, truth]
    others = probabilities.copy()
    others[rows, truth] = -1.0
    best = others.argmax(axis=1)
    other = others[rows, best]
    usual = np.asarray(
        [own[truth == k].mean() if (truth == k).any() else np.inf for k in range(len(task.labels))]
    )
    confident = (other > own) & (other >= usual[best])
    texts, pairs = text_columns(table)
    ids = table["id"][:]
    order = np.lexsort((own - other, ~confident))
    return [
        Suspect(
            ids[i], texts[i], None if pairs is None else pairs[i],
            task.labels[truth[i]], task.labels[best[i]],
            float(own[i]), float(other[i]), bool(confident[i]),
        )
        for i in order.tolist()
    ]  # fmt: skip


def effect(corrected: Dataset, task: Task, before: Scored, after: Scored) -> Effect:
    """`before`, `after`: out of fold, by models of the labels as they were and of the corrected ones.

    Raises DataError where the task's metric is undefined for one of the two.
    """
    groups = group_numbers(corrected["group"][:]) if "group" in corrected.column_names else None
    truths = Truths(task, np.asarray(task.target.truth(corrected["label"][:])), groups)
    first, second = truths.answered(before), truths.answered(after)
    (change,) = truths.changes(first, [second])
    if change is None or first.value is None or second.value is None:
        raise DataError(f"{task.metric} is undefined for these rows")
    return Effect(task.metric, first.value.value, second.value.value, change)


def columns_of(suspects: Sequence[Suspect]) -> dict[str, list[Any]]:
    """A table to correct: `corrected` is empty, and is read back by `data.corrections`."""
    pairs = {} if not suspects or suspects[0].pair is None else {"text_pair": [one.pair for one in suspects]}
    return {
        "id": [one.id for one in suspects],
        "text": [one.text for one in suspects],
        **pairs,
        "label": [one.label for one in suspects],
        "corrected": ["" for _ in suspects],
        "suggested": [one.suggested for one in suspects],
        "p_label": [round(one.own, 4) for one in suspects],
        "p_suggested": [round(one.other, 4) for one in suspects],
    }
