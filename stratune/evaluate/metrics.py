"""Every metric, written once, for many weightings of the rows at once.

A weighting says how often each row counts: all ones gives the plain value, the counts of a bootstrap
resample give that replicate. Shapes: N rows, K labels, R weightings. Conventions, so that none is ever NaN:

- the prediction is the most probable label, the first of equals;
- 0/0 in precision, recall, F1 or MCC is 0.0; every label counts in a macro mean;
- ROC-AUC and PR-AUC leave a label out of their macro mean when no row, or every row, has it;
  when no label is left, the metric is not in the answer;
- an `invalid` row (a generated answer that is no label) is wrong everywhere: it predicts no label, ranks
  last for its own label and first for the others, and gives the truth probability 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.errors import ConfigError, TrainingError, choices
from stratune.evaluate.ranking import Floats, Ranking, rank
from stratune.task import Kind

Integers = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]
Probabilities = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Metric:
    """A number that can be asked for by name. `kinds` are the task kinds it makes sense for."""

    name: str
    doc: str
    higher_is_better: bool
    kinds: tuple[Kind, ...] = ("classification",)

    def better(self, value: float, than: float) -> bool:
        return value > than if self.higher_is_better else value < than


_CLASSIFICATION = [
    Metric("accuracy", "share of rows whose prediction is the truth", True),
    Metric("precision_macro", "precision, mean over labels", True),
    Metric("recall_macro", "recall, mean over labels (balanced accuracy)", True),
    Metric("f1_macro", "F1, mean over labels", True),
    Metric("precision_weighted", "precision, mean over labels weighted by their rows", True),
    Metric("recall_weighted", "recall, mean over labels weighted by their rows", True),
    Metric("f1_weighted", "F1, mean over labels weighted by their rows", True),
    Metric("mcc", "Matthews correlation coefficient: -1 to 1, 0 is chance", True),
    Metric("roc_auc", "area under the ROC curve: second label of two, else macro one-vs-rest", True),
    Metric("pr_auc", "average precision: second label of two, else macro one-vs-rest", True),
    Metric("log_loss", "mean negative log probability of the truth, in nats", False),
]
METRICS: dict[str, Metric] = {metric.name: metric for metric in _CLASSIFICATION}
PER_LABEL = ("precision", "recall", "f1")  # also by label: f1[positive]


def find(name: str, labels: Sequence[str] = ()) -> Metric:
    """The metric called `name`, or by label: `f1[positive]`. Raises ConfigError with the choices."""
    if name in METRICS:
        return METRICS[name]
    by_label = {f"{family}[{label}]": (family, label) for family in PER_LABEL for label in labels}
    if name not in by_label:
        raise ConfigError(choices(name, [*METRICS, *by_label]), key="task.metric")
    family, label = by_label[name]
    return Metric(name, f"{family} of label {label!r}", True)


def score(
    truth: Integers, probabilities: Probabilities, labels: Sequence[str], *, invalid: Flags | None = None
) -> dict[str, float]:
    """All metrics of one set of predictions: truth (N,), indices; probabilities (N, K), rows sum to 1."""
    once = np.ones((len(truth), 1))
    values = Scorer(truth, probabilities, labels, invalid=invalid).values(once)
    return {name: float(value[0]) for name, value in values.items() if not np.isnan(value[0])}


def predicted(probabilities: Probabilities, invalid: Flags | None = None) -> npt.NDArray[np.intp]:
    """Label index per row (N,); K, which is no label, for an invalid row."""
    best: npt.NDArray[np.intp] = probabilities.argmax(axis=1)
    return best if invalid is None else np.where(invalid, probabilities.shape[1], best)


def confusion(
    truth: Integers, probabilities: Probabilities, *, invalid: Flags | None = None
) -> npt.NDArray[np.int64]:
    """Counts (K, K + 1): truth down, prediction across; the last column counts invalid answers."""
    label_count = probabilities.shape[1]
    cell = truth * (label_count + 1) + predicted(probabilities, invalid)
    counts = np.bincount(cell, minlength=label_count * (label_count + 1))
    return counts.reshape(label_count, label_count + 1).astype(np.int64)


class Scorer:
    """One set of predictions, sorted and counted once, ready for any number of weightings.

    Raises TrainingError when a probability is not a finite number: such a run has no score.
    """

    def __init__(
        self,
        truth: Integers,
        probabilities: Probabilities,
        labels: Sequence[str],
        *,
        invalid: Flags | None = None,
    ) -> None:
        self.truth = np.asarray(truth, dtype=np.intp)
        self.probabilities = np.asarray(probabilities, dtype=np.float64)
        self.labels = tuple(labels)
        self.invalid = (
            np.zeros(len(self.truth), dtype=bool) if invalid is None else np.asarray(invalid, dtype=bool)
        )
        expected = (len(self.truth), len(self.labels))
        if self.probabilities.shape != expected or not len(self.truth):
            raise ValueError(f"probabilities are {self.probabilities.shape}, not (rows, labels) = {expected}")
        unusable = ~np.isfinite(self.probabilities).all(axis=1) & ~self.invalid
        if unusable.any():
            raise TrainingError(f"{unusable.sum()} rows have a probability that is not a finite number")

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); NaN where a weighting leaves it undefined."""
        total = weights.sum(axis=0)
        return {
            **self._matches(weights, total),
            **self._areas(weights, total),
            "log_loss": (self._losses @ weights) / total,
        }

    def _matches(self, weights: Floats, total: Floats) -> dict[str, Floats]:
        """The metrics that only need, per label, how often it was true, predicted, and both."""
        hit, said, true = (self._adder @ weights).reshape(3, len(self.labels), -1)
        families = {
            "precision": _share(hit, said),
            "recall": _share(hit, true),
            "f1": _share(2 * hit, said + true),
        }
        values = {"accuracy": hit.sum(axis=0) / total}
        for name, by_label in families.items():
            values[f"{name}_macro"] = by_label.mean(axis=0)
            values[f"{name}_weighted"] = (by_label * true).sum(axis=0) / total
            values.update({f"{name}[{label}]": row for label, row in zip(self.labels, by_label, strict=True)})
        values["mcc"] = _mcc(hit, said, true, total)
        return values

    def _areas(self, weights: Floats, total: Floats) -> dict[str, Floats]:
        areas = [ranking.areas(weights, total) for ranking in self._rankings]
        roc, precision = (np.stack(column) for column in zip(*areas, strict=True))  # (classes, R)
        # one rule for both: average precision of a label that every row has would be a meaningless 1
        precision = np.where(np.isnan(roc), np.nan, precision)
        return {"roc_auc": _mean_of_defined(roc), "pr_auc": _mean_of_defined(precision)}

    @cached_property
    def _adder(self) -> Any:
        """Sparse (3K, N): adds a weighting up by label, for hits, predictions and truths."""
        from scipy.sparse import csr_array

        count, rows = len(self.labels), np.arange(len(self.truth))
        said = predicted(self.probabilities, self.invalid)
        hit, valid = said == self.truth, ~self.invalid
        cells = np.concatenate([self.truth[hit], count + said[valid], 2 * count + self.truth])
        columns = np.concatenate([rows[hit], rows[valid], rows])
        return csr_array((np.ones(len(cells)), (cells, columns)), shape=(3 * count, len(rows)))

    @cached_property
    def _rankings(self) -> list[Ranking]:
        """One per label; of two labels only the second, as is the custom."""
        wanted = [1] if len(self.labels) == 2 else range(len(self.labels))
        return [rank(self.truth == label, self._ranked(label)) for label in wanted]

    def _ranked(self, label: int) -> Floats:
        scores = self.probabilities[:, label]
        return np.where(self.invalid, np.where(self.truth == label, -np.inf, np.inf), scores)

    @cached_property
    def _losses(self) -> Floats:
        """Negative log probability of the truth (N,); a certain mistake costs 36 nats, not infinity."""
        given = np.where(self.invalid, 0.0, self.probabilities[np.arange(len(self.truth)), self.truth])
        losses: Floats = -np.log(np.clip(given, np.finfo(np.float64).eps, 1.0))
        return losses


def _share(part: Floats, whole: Floats) -> Floats:
    """part / whole, and 0.0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _mcc(hit: Floats, said: Floats, true: Floats, total: Floats) -> Floats:
    """Gorodkin's K-label form; arguments (K, R) and (R,). Invalid answers are one more predicted column."""
    unsaid = total - said.sum(axis=0)
    together = hit.sum(axis=0) * total - (said * true).sum(axis=0)
    spread_said = total**2 - (said**2).sum(axis=0) - unsaid**2
    spread_true = total**2 - (true**2).sum(axis=0)
    return _share(together, np.sqrt(spread_said * spread_true))


def _mean_of_defined(values: Floats) -> Floats:
    """Mean over labels (K, R) -> (R,) of what is not NaN; NaN when nothing is left (numpy would warn)."""
    defined = ~np.isnan(values)
    count: npt.NDArray[np.intp] = defined.sum(axis=0)
    summed: Floats = np.where(defined, values, 0.0).sum(axis=0)
    mean: Floats = np.divide(summed, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return mean
