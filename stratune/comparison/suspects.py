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
from numpy.typing import NDArray

from stratune.data.rows import text_columns
from stratune.data.share_out import enough_folds, folds_of, too_few_folds
from stratune.data.split import assemble
from stratune.errors import ConfigError
from stratune.fitting.fit import train
from stratune.strategy import parse_strategy
from stratune.train.settings import Budget
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.task import Task

Floats = NDArray[np.float64]
DRAWS = 1000  # bootstrap resamples


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
    """Share of rows whose corrected label is answered right, by models of the labels as they were and of the
    corrected ones; with the 95 % interval of their difference, rows resampled.
    """

    before: float
    after: float
    low: float
    high: float


def find_suspects(
    table: Dataset,
    task: Task,
    *,
    strategy: str | dict[str, Any] = "features",
    backbone: str | None = "minilm",
    seed: int = 0,
    progress: Progress = SILENT,
) -> list[Suspect]:
    """Rows of a canonical table, the most suspicious first. ConfigError for sets of labels, and values."""
    probabilities = out_of_fold(
        table, task, strategy=strategy, backbone=backbone, seed=seed, progress=progress
    )
    truth = np.asarray(task.target.truth(table["label"]))
    return ranked(table, task, probabilities, truth)


def ranked(table: Dataset, task: Task, probabilities: Floats, truth: NDArray[Any]) -> list[Suspect]:
    """Of probabilities (N, K) of rows' labels by models that have not seen the row."""
    rows = np.arange(len(truth))
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


def out_of_fold(
    table: Dataset,
    task: Task,
    *,
    strategy: str | dict[str, Any],
    backbone: str | None,
    seed: int,
    progress: Progress = SILENT,
) -> Floats:
    """(N, K) probabilities of labels, each row's by a model of the other folds."""
    if not task.target.one_label or not task.labels:
        why = "suspicious labels are looked for where each row has one label"
        raise ConfigError(f"{task.kind}: {why}", key="kind")
    folds, unit, _ = folds_of(table, task, seed)
    if not enough_folds(folds):
        raise too_few_folds(unit)
    whole = assemble({"train": table, "val": table, "test": table.select([])}, task, folds=folds.tolist())
    candidate = parse_strategy(strategy)
    # Baselines have no backbone.
    where = backbone if candidate.runs([backbone or ""], [], 1)[0][0] else None
    answers = train(candidate, where, task, whole, Budget(), seed, progress=progress).validation
    assert answers is not None
    return answers.predictions


def effect_of(
    before: Dataset,
    after: Dataset,
    task: Task,
    *,
    strategy: str | dict[str, Any] = "features",
    backbone: str | None = "minilm",
    seed: int = 0,
    progress: Progress = SILENT,
) -> Effect:
    """What corrections of labels bring: both models are asked for the corrected labels."""
    truth = np.asarray(task.target.truth(after["label"]))
    how: dict[str, Any] = {"strategy": strategy, "backbone": backbone, "seed": seed, "progress": progress}
    right = [out_of_fold(table, task, **how).argmax(axis=1) == truth for table in (before, after)]
    difference = right[1].astype(float) - right[0]
    random = np.random.default_rng(seed)
    drawn = [difference[random.integers(0, len(truth), len(truth))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Effect(float(right[0].mean()), float(right[1].mean()), float(low), float(high))


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
