"""What every scorer shares: names for arrays, checks of what came in, divisions that may have no divisor."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.errors import TrainingError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]
Predictions = npt.NDArray[np.floating[Any]]  # of N rows: probabilities (N, K) or values (N, 1)


def flags(invalid: Flags | None, rows: int) -> Flags:
    """(N,): which rows are invalid; none where it is not given."""
    return np.zeros(rows, dtype=bool) if invalid is None else np.asarray(invalid, dtype=bool)


def finite(predictions: Predictions, invalid: Flags, what: str) -> Floats:
    """`predictions` (N, ...) as float64. Raises TrainingError where a valid row holds NaN or infinity."""
    values = np.asarray(predictions, dtype=np.float64)
    unusable = ~np.isfinite(values).all(axis=1) & ~invalid
    if unusable.any():
        raise TrainingError(f"{unusable.sum()} rows have a {what} that is not a finite number")
    return values


def share(part: Floats, whole: Floats) -> Floats:
    """part / whole, and 0.0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, and NaN, without a warning, where there is nothing."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def negative_log(probability: Floats) -> Floats:
    """In nats; a certain mistake costs 36 of them, not infinity."""
    losses: Floats = -np.log(np.clip(probability, np.finfo(np.float64).eps, 1.0))
    return losses
