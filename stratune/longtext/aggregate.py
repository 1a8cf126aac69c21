"""What the chunks of a document say -> what the document says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from stratune.task import Kind

Floats = NDArray[np.float64]
Owners = NDArray[np.int64]  # (N',) the document of each chunk, rising
SHARPNESS = (1.0, 2.0, 4.0, 8.0, 16.0)  # tried on validation for `learned`


@dataclass(frozen=True)
class Aggregate:
    """`mean`: of probabilities or values. `vote`: the share of chunks that answer so; of values the median.
    `max`: each label's highest probability, made to sum to one; of values the one farthest from the others.
    `learned`: a mean in which a chunk weighs exp(sharpness x how sure it is), sharpness from validation.
    `auto` is `mean` until validation has chosen.
    """

    how: str
    kind: Kind
    sharpness: float = 0.0

    def __call__(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """(N', C) -> (count, C)."""
        if self.how == "vote":
            return self._vote(predictions, owner, count)
        if self.how == "max" and self.kind != "regression":
            highest = np.zeros((count, predictions.shape[1]))
            np.maximum.at(highest, owner, predictions)
            whole = 1.0 if self.kind == "multilabel" else highest.sum(axis=1, keepdims=True)
            return np.asarray(highest / whole)
        weights = self.weights(predictions, owner, count)
        total = np.zeros((count, predictions.shape[1]))
        np.add.at(total, owner, predictions * weights[:, None])
        return total

    def weights(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """(N',) what each chunk weighs in its document; they sum to one there."""
        sure = self._confidence(predictions, owner, count)
        if self.how == "max" and self.kind == "regression":
            raised = np.exp(50.0 * (sure - _of(np.maximum, sure, owner, count, -np.inf)[owner]))
        elif self.how == "learned":
            raised = np.exp(self.sharpness * (sure - _of(np.maximum, sure, owner, count, -np.inf)[owner]))
        else:
            raised = np.ones(len(owner))
        return np.asarray(raised / _of(np.add, raised, owner, count, 0.0)[owner])

    def tuned(
        self, predictions: Floats, owner: Owners, count: int, worth: Callable[[Floats], float]
    ) -> Aggregate:
        """With what validation prefers, by `worth` of what the documents say (higher is better)."""
        if self.how == "auto":
            options = [replace(self, how=how) for how in ("mean", "vote", "max")] + self._sharpened()
        elif self.how == "learned":
            options = [replace(self, sharpness=0.0), *self._sharpened()]
        else:
            return self
        return max(options, key=lambda one: worth(one(predictions, owner, count)))  # of equals the first

    def state(self) -> dict[str, Any]:
        return {"how": self.how, "sharpness": self.sharpness}

    def _sharpened(self) -> list[Aggregate]:
        return [replace(self, how="learned", sharpness=one) for one in SHARPNESS]

    def _confidence(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """(N',) from 0 up: how far the answer is from saying nothing; of values, from the document's mean, in
        standard deviations of the document's chunks.
        """
        if self.kind == "regression":
            chunks = np.bincount(owner, minlength=count)
            mean = _of(np.add, predictions[:, 0], owner, count, 0.0) / chunks
            spread = np.sqrt(_of(np.add, (predictions[:, 0] - mean[owner]) ** 2, owner, count, 0.0) / chunks)
            return np.asarray(np.abs(predictions[:, 0] - mean[owner]) / np.maximum(spread[owner], 1e-12))
        if self.kind == "multilabel":
            return np.asarray(np.abs(2 * predictions - 1).max(axis=1))
        return np.asarray(predictions.max(axis=1) - 1 / predictions.shape[1])

    def _vote(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        if self.kind == "regression":
            return np.array([[np.median(predictions[owner == document, 0])] for document in range(count)])
        votes = (
            predictions >= 0.5
            if self.kind == "multilabel"
            else np.eye(predictions.shape[1])[predictions.argmax(axis=1)]
        )
        total = np.zeros((count, predictions.shape[1]))
        np.add.at(total, owner, votes.astype(np.float64))
        return np.asarray(total / np.bincount(owner, minlength=count)[:, None])


def _of(add: np.ufunc, values: Floats, owner: Owners, count: int, start: float) -> Floats:
    """(N',) -> (count,): `add` over the chunks of each document."""
    total = np.full(count, start)
    add.at(total, owner, values)
    return total
