"""A scorer has one set of predictions, and gives every metric of them for many weightings of the rows.

A weighting says how often each row counts: all ones gives the plain value, the counts of a bootstrap resample
give that replicate. Shapes: N rows, R weightings. A metric that is undefined (an area without both sides, a
correlation without spread) is NaN in `values` and not in the dict of `score`; 0/0 in a share is 0.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from stratune.errors import MetricError
from stratune.evaluate.arrays import Floats
from stratune.evaluate.kinds import Kind
from stratune.evaluate.metrics import Function, Metric, metrics_of
from stratune.evaluate.proportions import Proportions


class Scorer(Protocol):
    """One set of predictions, sorted and counted once, ready for any number of weightings."""

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); NaN where a weighting leaves it undefined."""
        ...


@dataclass(frozen=True)
class Tally:
    """Which metrics are proportions, and of how many trials, on the rows as they are.

    `shares`: metric -> how many rows it is a share of. `like`: metric -> how many rows it is at least worth,
    where it is no share of rows but lies between 0 and 1 all the same. `means`: metric -> proportions (m,)
    and their weights (m,). `families`: of K `labels`, each a metric by itself: `f1[label]`.
    """

    shares: dict[str, float]
    like: dict[str, float]
    means: dict[str, tuple[Proportions, Floats]]
    families: dict[str, Proportions]
    labels: tuple[str, ...]


def tally_of(scorer: Scorer) -> Tally | None:
    """What a scorer has counted; None where nothing is a proportion that it knows the trials of."""
    tally: Callable[[], Tally | None] | None = getattr(scorer, "tally", None)
    return tally() if tally is not None else None


class PredictionScorer(Scorer, Protocol):
    """A scorer of one kind of task, with the arrays that it scores (kinds.py)."""

    truth: npt.NDArray[Any]

    @property
    def answers(self) -> Floats:
        """(N, C): the predictions, with wrong ones in the place of invalid ones."""
        ...


def score(scorer: Scorer, rows: int) -> dict[str, float]:
    """The metrics of N `rows` as they are; what is undefined is left out."""
    values = scorer.values(np.ones((rows, 1)))
    return {name: float(value[0]) for name, value in values.items() if not np.isnan(value[0])}


def mean_of_shared(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean over several dicts of metrics, of those that are defined in all of them."""
    shared = [name for name in scores[0] if all(name in other for other in scores)] if scores else []
    return {name: float(np.mean([one[name] for one in scores])) for name in shared}


def with_registered(scorer: PredictionScorer, kind: Kind) -> Scorer:
    """`scorer`, and the metrics of this kind of task that are functions."""
    functions = [metric for metric in metrics_of(kind).values() if metric.function is not None]
    return WithFunctions(scorer, functions) if functions else scorer


class WithFunctions:
    """A scorer's own metrics, and those of functions, which are asked about one weighting after another."""

    def __init__(self, scorer: PredictionScorer, metrics: Sequence[Metric]) -> None:
        self.scorer, self.metrics = scorer, metrics
        flags = scorer.truth.dtype == np.bool_
        self.truth = _read_only(scorer.truth.astype(np.int64) if flags else scorer.truth)
        self.answers = _read_only(scorer.answers)

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,). Raises MetricError as `called`."""
        found = self.scorer.values(weights)
        columns = np.ascontiguousarray(weights.T)
        for metric in self.metrics:
            found[metric.name] = np.array([self._called(metric, column) for column in columns])
        return found

    def tally(self) -> Tally | None:
        return tally_of(self.scorer)

    def _called(self, metric: Metric, weights: Floats) -> float:
        assert metric.function is not None
        return called(metric.name, metric.function, self.truth, self.answers, weights)


def called(name: str, function: Function, *arrays: npt.NDArray[Any]) -> float:
    """A registered function's answer. Raises MetricError, with its name, when it fails or gives no number."""
    try:
        value = function(*arrays)
    except Exception as error:  # whatever it is: it is somebody else's, and goes on with their name on it
        raise MetricError(f"metric {name!r}: {type(error).__name__}: {error}") from error
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise MetricError(f"metric {name!r} returned {type(value).__name__}, not a number") from error
    if np.isinf(number):
        raise MetricError(f"metric {name!r} returned {number}; where it is undefined it returns NaN")
    return number


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view that nobody can write to: the scorer's own metrics need it as it is."""
    view = array.view()
    view.flags.writeable = False
    return view
