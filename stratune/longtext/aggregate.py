"""Aggregate: predictions of chunks -> predictions of their documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stratune.evaluate.arrays import Floats
from stratune.target import Target
from stratune.target.joining import Owners, shares, weighted

SHARPNESS = (1.0, 2.0, 4.0, 8.0, 16.0)  # tried on validation for `learned`


@dataclass(frozen=True)
class Aggregate:
    """How the predictions of a document's chunks are joined.

    `mean`: of probabilities or values. `vote`: share of chunks that predict a label; for values the median.
    `max`: highest probability of each label, normalised; for values the one farthest from their mean.
    `learned`: mean with weights exp(sharpness x confidence), sharpness chosen on validation. `auto`: the best
    of these on validation, and `mean` before.
    """

    how: str
    target: Target
    sharpness: float = 0.0

    def __call__(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """(M, C) -> (count, C)."""
        if self.how == "vote":
            return self.target.voted(predictions, owner, count)
        if self.how == "max":
            return self.target.highest(predictions, owner, count)
        if self.how == "learned":
            confidence = self.target.confidence(predictions, owner, count)
            weights = shares(confidence, self.sharpness, owner, count)
        else:
            weights = 1.0 / np.bincount(owner, minlength=count)[owner]
        return weighted(predictions, weights, owner, count)

    def tuned(
        self, predictions: Floats, owner: Owners, count: int, score: Callable[[Floats], float]
    ) -> Aggregate:
        """The choice with the best `score` (higher is better) of the documents' predictions on validation."""
        if self.how == "auto":
            options = [replace(self, how=how) for how in ("mean", "vote", "max")] + self._sharpened()
        elif self.how == "learned":
            options = [replace(self, sharpness=0.0), *self._sharpened()]
        else:
            return self
        return max(options, key=lambda one: score(one(predictions, owner, count)))  # of ties the first

    def state(self) -> dict[str, Any]:
        return {"how": self.how, "sharpness": self.sharpness}

    def _sharpened(self) -> list[Aggregate]:
        return [replace(self, how="learned", sharpness=one) for one in SHARPNESS]
