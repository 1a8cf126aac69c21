"""What a system answers to the test rows, and how peers choose a setting: by the set's own metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import KFold, StratifiedKFold

from against.sets import Draw

FOLDS = 5
V = TypeVar("V")
# Rows of training (indices), rows to predict (indices; None: those of the part), part -> (N, C) predictions
Predict = Callable[[V, np.ndarray, np.ndarray | None, str], np.ndarray]


@dataclass(frozen=True)
class Answer:
    """Of N test rows: `predictions` (N, C) probabilities in the order of the task's labels, or (N, 1) values;
    `cells` (N,) what is answered, as the label column has it. `chosen`: the settings that validation chose.
    """

    predictions: np.ndarray
    cells: list[Any]
    chosen: dict[str, Any] = field(default_factory=dict)


def plain(draw: Draw, predictions: np.ndarray, **chosen: Any) -> Answer:
    """The most probable label, one half as the threshold of each of several labels, the value."""
    target = draw.task.target
    return Answer(predictions, target.named(target.decided(predictions)), chosen)


def tuned(draw: Draw, grid: Sequence[V], predict: Predict[V], name: str) -> Answer:
    """The answer with the value of `grid` that is best on validation rows, or over folds of the training rows
    where there are none. Several labels: each has the threshold that is best there, too.
    """
    held = {value: _held_out(draw, value, predict) for value in grid}
    truth = draw.truth("train" if draw.val is None else "val")
    best = draw.task.selection.best(grid, lambda value: draw.task.target.score(truth, held[value]))
    every = np.arange(len(draw.train))
    predictions = predict(best, every, None, "test")
    if not draw.task.target.several_labels:
        return plain(draw, predictions, **{name: best})
    thresholds = _thresholds(truth, held[best])
    cells = draw.task.target.named(predictions >= thresholds)
    return Answer(predictions, cells, {name: best, "thresholds": thresholds.tolist()})


def _held_out(draw: Draw, value: V, predict: Predict[V]) -> np.ndarray:
    """(M, C) of the validation rows, or of each training row by a model that has not seen it."""
    every = np.arange(len(draw.train))
    if draw.val is not None:
        return predict(value, every, None, "val")
    found = np.zeros((len(every), len(draw.task.columns)))
    for inside, outside in _folds(draw):
        found[outside] = predict(value, inside, outside, "train")
    return found


def _folds(draw: Draw) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    truth, rows = draw.truth("train"), np.zeros(len(draw.train))
    if not draw.task.target.one_label:
        return KFold(FOLDS, shuffle=True, random_state=0).split(rows)
    folds = min(FOLDS, int(np.bincount(truth).min()))
    return StratifiedKFold(folds, shuffle=True, random_state=0).split(rows, truth)


def _thresholds(truth: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """(K,) of each label the probability from which on its F1 is best; one half where no row has the label."""
    found = np.full(truth.shape[1], 0.5)
    for label in np.flatnonzero(truth.any(axis=0)):
        precision, recall, at = precision_recall_curve(truth[:, label], predictions[:, label])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        found[label] = at[int(f1[:-1].argmax())]
    return found
