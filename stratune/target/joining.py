"""Answers of a document's chunks, joined: M chunks, `owner` (M,) the document of each, rising."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stratune.evaluate.arrays import Floats

Owners = NDArray[np.int64]


def shares(confidence: Floats, sharpness: float, owner: Owners, count: int) -> Floats:
    """(M,) what each chunk weighs in its document: exp(sharpness x confidence), made to sum to one there."""
    top = reduced(np.maximum, confidence, owner, count, -np.inf)
    raised = np.exp(sharpness * (confidence - top[owner]))
    return np.asarray(raised / reduced(np.add, raised, owner, count, 0.0)[owner])


def weighted(predictions: Floats, weights: Floats, owner: Owners, count: int) -> Floats:
    """Predictions (M, C) and weights (M,) -> sums by document (count, C)."""
    total = np.zeros((count, predictions.shape[1]))
    np.add.at(total, owner, predictions * weights[:, None])
    return total


def reduced(ufunc: np.ufunc, values: Floats, owner: Owners, count: int, start: float) -> Floats:
    """(M,) -> (count,): `ufunc` over the chunks of each document."""
    total = np.full(count, start)
    ufunc.at(total, owner, values)
    return total
