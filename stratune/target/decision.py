"""Decisions: which answer the probabilities of a row lead to. They move answers only, never a probability.

One label of several: the most probable one. Of two labels a threshold may decide instead, by any metric or by
what mistakes cost. Of label sets each label has a threshold of its own. Thresholds are chosen on validation,
for every strategy and every baseline by one rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from stratune.errors import ConfigError, choices
from stratune.evaluate.arrays import Floats, Integers
from stratune.evaluate.calibration import CALIBRATE
from stratune.options import check_values

TRIED = 100  # thresholds that are tried, evenly spread over the rows where there are more
# Metrics that no threshold moves.
OF_PROBABILITIES = ("roc_auc", "pr_auc", "map", "log_loss", "brier", "ece")


class Decided(Protocol):
    """The target of a task (base.py), as far as decisions have to know it."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    is_numeric: ClassVar[bool]
    several_labels: ClassVar[bool]

    def find(self, metric: str) -> Any: ...


@dataclass(frozen=True)
class Decision:
    """`thresholds`: of label sets (K,), from which on each label is given; of two labels one number, from
    which on the second is. Empty: the most probable label, or one half.
    """

    thresholds: tuple[float, ...] = ()


PLAIN = Decision()


@dataclass(frozen=True)
class Decide:
    """How answers are made of probabilities, for every strategy and baseline of a comparison."""

    metric: str | None = None  # of two labels: the threshold is the one with the best metric on validation
    # of two labels: truth -> answer -> what the mistake costs; the threshold is the cheapest on validation
    costs: Mapping[str, Mapping[str, float]] | None = None
    # how probabilities are scaled on validation: by one factor, or a factor and a shift for each label
    calibrate: Literal["none", "temperature", "vector"] = "none"

    def __post_init__(self) -> None:
        if self.calibrate not in CALIBRATE:
            raise ConfigError(choices(self.calibrate, CALIBRATE), key="decide.calibrate")
        if self.metric is not None and self.costs is not None:
            raise ConfigError("name a metric or costs, not both", key="decide")
        for truth, row in (self.costs or {}).items():
            for answer, cost in row.items():
                key = f"decide.costs.{truth}.{answer}"
                check_values(cost, key)
                if cost < 0 or (truth == answer and cost):
                    why = "the right answer costs nothing" if truth == answer else f"{cost} is below 0"
                    raise ConfigError(why, key=key)

    def check(self, target: Decided) -> None:
        """Raises ConfigError for what the kind of task cannot have; labels count where they are known."""
        if self.calibrate != "none" and target.is_numeric:
            raise ConfigError("values have no probabilities", key="decide.calibrate")
        if self.metric is None and self.costs is None:
            return
        key = "decide.metric" if self.metric is not None else "decide.costs"
        if target.several_labels:
            raise ConfigError("each label of a multilabel task has a threshold already", key=key)
        if target.is_numeric:
            raise ConfigError("a threshold needs two labels, and a regression has none", key=key)
        if target.labels and len(target.labels) != 2:
            raise ConfigError(f"a threshold needs two labels, not {len(target.labels)}", key=key)
        if self.metric in OF_PROBABILITIES:
            raise ConfigError(f"{self.metric} is of probabilities, which no threshold moves", key=key)
        if self.metric is not None and (target.labels or "[" not in self.metric):
            target.find(self.metric)
        if target.labels:
            for name in [*(self.costs or {}), *(one for row in (self.costs or {}).values() for one in row)]:
                if name not in target.labels:
                    raise ConfigError(choices(name, target.labels), key=key)

    def cost_matrix(self, labels: tuple[str, ...]) -> Floats:
        """(K, K): truth down, answer across. A mistake that is not named costs 1."""
        matrix = 1.0 - np.eye(len(labels))
        for truth, row in (self.costs or {}).items():
            for answer, cost in row.items():
                matrix[labels.index(truth), labels.index(answer)] = cost
        return matrix


DECIDE = Decide()


def best_threshold(probabilities: Floats, gain: Callable[[float], float]) -> float:
    """Of the cuts between (N,) probabilities the one with the highest `gain`; of equals nearest to 1/2."""
    values = np.unique(probabilities[~np.isnan(probabilities)])
    between = _between(values[1:], values[:-1])
    if len(between) > TRIED:
        between = np.quantile(between, np.linspace(0, 1, TRIED))
    ends = [values[0] / 2, (values[-1] + 1) / 2] if len(values) else []
    cuts = np.array([0.5, *between, *ends])
    cuts = cuts[np.argsort(np.abs(cuts - 0.5), kind="stable")]
    return float(cuts[int(np.argmax([gain(float(cut)) for cut in cuts]))])


def best_f1(probabilities: Floats, truth: Integers) -> float:
    """The cut between (N,) probabilities at which a label's F1 is highest; of equals nearest to 1/2.

    One half where no row has the label.
    """
    if not truth.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    values, hits = probabilities[order], np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(values) + 1) + truth.sum())
    ends = np.append(values[:-1] > values[1:], True)  # rows of one probability are taken together
    cuts = _between(values, np.append(values[1:], 0.0))
    best = np.flatnonzero(ends & (f1 >= f1[ends].max() - 1e-12))
    return float(min(cuts[best], key=lambda cut: abs(cut - 0.5)))


def _between(upper: Floats, lower: Floats) -> Floats:
    """Their middles; of neighbouring numbers, which have none, the upper."""
    middle = (upper + lower) / 2
    return np.where(middle > lower, middle, upper)


def read_decision(thresholds: Any, target: Decided) -> Decision | None:
    """Of a model folder; None where so many thresholds, or such, are no decision of this task."""
    wanted = len(target.labels) if target.several_labels else 1 if len(target.labels) == 2 else 0
    found = tuple(float(one) for one in thresholds)
    fits = len(found) in (0, wanted) and all(0 <= one <= 1 for one in found)
    return Decision(found) if fits else None
