"""Every metric by name, and every metric of one set of predictions, for each kind of task.

What a model says of N rows, `predictions`, and the truth, with K labels:

| kind           | truth                          | said                                  | scored in     |
|----------------|--------------------------------|---------------------------------------|---------------|
| classification | (N,) label indices             | (N, K) probabilities, rows sum to 1   | classes.py    |
| ordinal        | (N,) label indices, low first  | (N, K) the same                       | levels.py     |
| multilabel     | (N, K) zeros and ones          | (N, K) probabilities, each by itself  | label_sets.py |
| regression     | (N,) numbers, the user's units | (N, 1) values                         | values.py     |

Scorers take many weightings of the rows at once. A weighting says how often each row counts: all ones gives
the plain value, the counts of a bootstrap resample give that replicate. Shapes: N rows, K labels, R
weightings. No score is ever NaN: 0/0 in a share is 0.0, and a metric that is undefined (an area without both
sides, a correlation without spread) is not in the answer. What an invalid row costs, each file says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from stratune.errors import ConfigError, choices
from stratune.evaluate.arrays import Flags, Floats, Predictions
from stratune.evaluate.classes import ClassScorer, confusion, predicted
from stratune.evaluate.label_sets import LabelSetScorer
from stratune.evaluate.labels import PER_LABEL
from stratune.evaluate.levels import LevelScorer
from stratune.evaluate.values import ValueScorer
from stratune.task import Kind

__all__ = [
    "METRICS",
    "PER_LABEL",
    "Metric",
    "Scorer",
    "Truth",
    "confusion",
    "find",
    "metrics_of",
    "predicted",
    "score",
    "scorer",
]

Truth = npt.NDArray[Any]  # indices, zeros and ones, or numbers: by kind


@dataclass(frozen=True)
class Metric:
    """A number that can be asked for by name. `kinds` are the task kinds it makes sense for."""

    name: str
    doc: str
    higher_is_better: bool
    kinds: tuple[Kind, ...] = ("classification",)

    @property
    def sign(self) -> float:
        """Times this, higher is better."""
        return 1.0 if self.higher_is_better else -1.0

    def better(self, value: float, than: float) -> bool:
        return value > than if self.higher_is_better else value < than


_ONE: tuple[Kind, ...] = ("classification", "ordinal")  # one label of several
_ANY: tuple[Kind, ...] = ("classification", "ordinal", "multilabel")
_SETS: tuple[Kind, ...] = ("multilabel",)
_LEVELS: tuple[Kind, ...] = ("ordinal",)
_NUMBERS: tuple[Kind, ...] = ("regression",)
_ORDERED: tuple[Kind, ...] = ("ordinal", "regression")

_METRICS = [
    Metric("accuracy", "share of rows whose prediction is the truth", True, _ONE),
    Metric("precision_macro", "precision, mean over labels", True, _ANY),
    Metric("recall_macro", "recall, mean over labels (balanced accuracy)", True, _ANY),
    Metric("f1_macro", "F1, mean over labels", True, _ANY),
    Metric("precision_weighted", "precision, mean over labels weighted by their rows", True, _ONE),
    Metric("recall_weighted", "recall, mean over labels weighted by their rows", True, _ONE),
    Metric("f1_weighted", "F1, mean over labels weighted by their rows", True, _ONE),
    Metric("precision_micro", "precision, the counts of all labels added up", True, _SETS),
    Metric("recall_micro", "recall, the counts of all labels added up", True, _SETS),
    Metric("f1_micro", "F1, the counts of all labels added up", True, _SETS),
    Metric("mcc", "Matthews correlation coefficient: -1 to 1, 0 is chance", True, _ONE),
    Metric("roc_auc", "area under the ROC curve: second label of two, else macro one-vs-rest", True, _ANY),
    Metric("pr_auc", "average precision: second label of two, else macro one-vs-rest", True, _ONE),
    Metric("map", "average precision, mean over labels", True, _SETS),
    Metric("subset_accuracy", "share of rows whose labels are all right", True, _SETS),
    Metric("hamming", "share of the yes-or-no answers, rows times labels, that are wrong", False, _SETS),
    Metric("log_loss", "mean negative log probability of the truth, in nats", False, _ANY),
    Metric("qwk", "Cohen's kappa with quadratic weights: 1 is agreement, 0 is chance", True, _LEVELS),
    Metric("mae_levels", "mean distance of the prediction from the truth, in levels", False, _LEVELS),
    Metric("mae", "mean absolute error, in the units of the truth", False, _NUMBERS),
    Metric("rmse", "root mean squared error, in the units of the truth", False, _NUMBERS),
    Metric("r2", "share of the truth's variance explained: 1 is all, 0 what its mean does", True, _NUMBERS),
    Metric("pearson", "linear correlation of prediction (ordinal: expected level) and truth", True, _ORDERED),
    Metric("spearman", "rank correlation of prediction (ordinal: expected level) and truth", True, _ORDERED),
]
METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}


def metrics_of(kind: Kind) -> dict[str, Metric]:
    """The metrics that suit a kind of task, in the order to show them."""
    return {name: metric for name, metric in METRICS.items() if kind in metric.kinds}


def find(name: str, labels: Sequence[str] = (), kind: Kind = "classification") -> Metric:
    """The metric called `name`, or by label: `f1[positive]`. Raises ConfigError with the kind's choices."""
    known = metrics_of(kind)
    if name in known:
        return known[name]
    labels = () if kind == "regression" else labels
    by_label = {f"{family}[{label}]": (family, label) for family in PER_LABEL for label in labels}
    if name not in by_label:
        raise ConfigError(choices(name, [*known, *by_label]), key="task.metric")
    family, label = by_label[name]
    return Metric(name, f"{family} of label {label!r}", True, _ANY)


class Scorer(Protocol):
    """One set of predictions, sorted and counted once, ready for any number of weightings."""

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); NaN where a weighting leaves it undefined."""
        ...


def scorer(
    kind: Kind,
    truth: Truth,
    predictions: Predictions,
    labels: Sequence[str] = (),
    invalid: Flags | None = None,
) -> Scorer:
    """The scorer of a kind. Raises TrainingError where a row that is not invalid holds NaN or infinity."""
    if kind == "regression":
        return ValueScorer(truth, predictions, invalid=invalid)
    if kind == "multilabel":
        return LabelSetScorer(truth, predictions, labels, invalid=invalid)
    if kind == "ordinal":
        return LevelScorer(truth, predictions, labels, invalid=invalid)
    return ClassScorer(truth, predictions, labels, invalid=invalid)


def score(
    truth: Truth,
    predictions: Predictions,
    labels: Sequence[str],
    *,
    kind: Kind = "classification",
    invalid: Flags | None = None,
) -> dict[str, float]:
    """All metrics of one set of predictions; shapes by kind: see above. Raises as `model`."""
    once = np.ones((len(truth), 1))
    values = scorer(kind, truth, predictions, labels, invalid).values(once)
    return {name: float(value[0]) for name, value in values.items() if not np.isnan(value[0])}
