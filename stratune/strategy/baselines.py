"""Floors: what a strategy has to beat. No language model; rows of the leaderboard like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import UnsupportedError
from stratune.model.baseline import Examples, array_of
from stratune.strategy.base import Baseline
from stratune.strategy.registry import register_baseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.task import Task

    Rows = Sequence[str]
    Predictions = NDArray[np.float64]  # (N, C): probabilities of the labels, or values


@dataclass(frozen=True)
class PriorModel:
    prior: NDArray[np.float64]  # (C,)

    def predictions(self, rows: Examples) -> Predictions:
        return np.tile(self.prior, (len(rows.texts), 1))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return {"prior": self.prior}, {}


class _Constant(Baseline):
    """A baseline that predicts the same for every row."""

    floor = True

    def restore(self, task: Task, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> PriorModel:
        return PriorModel(array_of(arrays, "prior", (len(task.columns),)))


@register_baseline("majority")
@dataclass(frozen=True)
class Majority(_Constant):
    """Always the most frequent label of the training rows, with the label shares as probabilities."""

    name: str = "majority"
    soft_labels: bool = False

    def settings(self) -> dict[str, Any]:
        return {"name": self.name, "preset": self.preset, "soft_labels": self.soft_labels}

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> PriorModel:
        assert train.truth is not None
        if task.target.baseline != "majority":
            raise UnsupportedError("a regression", self.name, "values have no majority; use `mean`")
        if train.shares is not None:
            return PriorModel(train.shares.mean(axis=0))
        return PriorModel(task.target.prior(train.truth))


@register_baseline("mean")
@dataclass(frozen=True)
class Mean(_Constant):
    """Always the mean value of the training rows."""

    name: str = "mean"

    def settings(self) -> dict[str, Any]:
        return {"name": self.name, "preset": self.preset}

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> PriorModel:
        assert train.truth is not None
        if task.target.baseline != "mean":
            raise UnsupportedError(
                f"a task of kind {task.kind}", self.name, "labels have no mean; use `majority`"
            )
        return PriorModel(task.target.prior(train.truth))
