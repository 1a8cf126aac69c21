"""A number for each row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stratune.errors import ConfigError, UnsupportedError
from stratune.evaluate.arrays import Flags, Floats, Predictions
from stratune.evaluate.calibration import Calibrate, Scaling
from stratune.evaluate.kinds import Kind, Truth
from stratune.evaluate.scoring import PredictionScorer
from stratune.evaluate.values import ValueScorer
from stratune.target.base import Target
from stratune.target.decision import PLAIN, Decision
from stratune.target.joining import Owners, reduced, shares, weighted

if TYPE_CHECKING:
    from stratune.evaluate.raters import Raters
    from stratune.objective import Objective

VALUE = "value"  # the one column of predictions
TENTHS = 10  # strata
FARTHEST = 50.0  # sharpness with which the farthest chunk of a document is all that counts


class Values(Target):
    """Truth (N,) float64; predictions (N, 1), in the user's units; NaN where invalid. There are no labels."""

    kind: ClassVar[Kind] = "regression"
    default_metric = "rmse"
    validation_loss = "rmse"
    plain_metrics = ("pearson", "mae")
    losses = ("mse", "mae", "huber")
    baseline = "mean"
    fewest_labels = 0
    is_numeric = True
    measurement = "interval"
    consensus = "mean"
    agreement = {"pearson": "r", "icc2": "ICC", "mae": "MAE", "spearman": "rank r"}

    def __post_init__(self) -> None:
        if self.labels:
            raise ConfigError("a regression has no labels; bin the values with task.bins", key="task.labels")

    @property
    def columns(self) -> tuple[str, ...]:
        return (VALUE,)

    def members(self, cell: str) -> list[str]:
        return []

    def truth(self, cells: Sequence[Any]) -> Truth:
        return np.array([float(value) for value in cells], dtype=np.float64)

    def soft(self, truth: Truth) -> Floats:
        return np.asarray(truth)[:, None]

    def strata(self, cells: Sequence[str]) -> list[str]:
        """The tenth of the table that a row's value lies in."""
        values = self.truth(cells)
        edges = np.unique(np.quantile(values, np.linspace(0, 1, TENTHS + 1)[1:-1]))
        return [f"{tenth:02d}" for tenth in np.searchsorted(edges, values, side="right")]

    def problem(self, cell: Any) -> str | None:
        return None if _is_number(cell) else f"{cell!r} is not a number"

    def rating(self, text: str) -> float:
        if not _is_number(text):
            raise ValueError(f"{text!r} is not a number")
        return float(text)

    def rated(self, rating: Any) -> float:
        return float(rating)

    def decided(
        self, predictions: Predictions, invalid: Flags | None = None, decision: Decision = PLAIN
    ) -> Floats:
        """(N,) the values themselves; NaN of an invalid row."""
        return np.asarray(predictions[:, 0], dtype=np.float64)

    def named(self, decided: Floats) -> list[float | None]:
        """None for an invalid row."""
        return [None if np.isnan(value) else float(value) for value in decided]

    def decided_of(self, cells: Sequence[Any]) -> Floats:
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)

    def calibration(self, truth: Truth, predictions: Floats, way: Calibrate) -> Scaling:
        return Scaling()

    def strangeness(self, truth: Truth, predictions: Floats) -> Floats:
        """The distance of the prediction from the truth."""
        return np.abs(predictions[:, 0] - truth)

    def sets(self, predictions: Floats, most: float) -> Floats:
        return np.stack([predictions[:, 0] - most, predictions[:, 0] + most], axis=1)

    def covered(self, truth: Truth, sets: Floats) -> Flags:
        return (sets[:, 0] <= truth) & (truth <= sets[:, 1])

    def read(self, answer: Any, row: Floats) -> tuple[str, dict[str, float], float | None]:
        return "", {}, float(row[0])

    def stored(self, cells: Sequence[Any]) -> list[Any]:
        return [float(value) for value in cells]

    def prior(self, truth: Truth) -> Floats:
        return np.array([truth.mean()])

    def from_scores(self, scores: Floats) -> Floats:
        return np.asarray(scores, dtype=np.float64)

    def _objective(self, loss: str) -> Objective:
        from stratune.objective.values import Value

        return Value(0, loss)

    def verbalized(self, scale: tuple[float, ...], readout: str) -> tuple[str, ...]:
        from stratune.objective.scale import names

        if not scale:
            levels = "name the levels to ask about in `readout.scale`, such as [1, 2, 3, 4, 5]"
            raise UnsupportedError(f"a task of kind {self.kind}", readout, f"{levels}, or bin the values")
        return names(scale)

    def verbal_objective(self, scale: tuple[float, ...], of_tokens: bool) -> Objective:
        from stratune.objective.scale import Scale

        return Scale(len(scale), scale, of_tokens)

    def voted(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        return np.array([[np.median(predictions[owner == document, 0])] for document in range(count)])

    def highest(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """The value that is farthest from the document's mean; equally far ones share."""
        weights = shares(self.confidence(predictions, owner, count), FARTHEST, owner, count)
        return weighted(predictions, weights, owner, count)

    def confidence(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """The distance from the document's mean, in standard deviations of the document's chunks."""
        values, chunks = predictions[:, 0], np.bincount(owner, minlength=count)
        mean = reduced(np.add, values, owner, count, 0.0) / chunks
        spread = np.sqrt(reduced(np.add, (values - mean[owner]) ** 2, owner, count, 0.0) / chunks)
        return np.asarray(np.abs(values - mean[owner]) / np.maximum(spread[owner], 1e-12))

    def _scorer(
        self, truth: Truth, predictions: Predictions, invalid: Flags | None, decided: Any
    ) -> PredictionScorer:
        return ValueScorer(truth, predictions, invalid=invalid)

    def _lacking(self, truth: Truth, part: str) -> str | None:
        return None if np.ptp(truth) else f"every value of {part} is {truth[0]:g}"

    def raters(self, ratings: Floats, *, identified: bool = False) -> Raters:
        from stratune.evaluate.raters import ValueRaters

        return ValueRaters(ratings, identified=identified)


def _is_number(cell: Any) -> bool:
    try:
        return math.isfinite(float(cell))
    except (TypeError, ValueError):
        return False
