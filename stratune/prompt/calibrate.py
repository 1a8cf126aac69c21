"""Calibration: subtract the model's prior over the labels; temperature scaling.

Arrays are normalised log-probabilities of labels (N, K). `scale_of` uses labels of the validation part,
`bias_of` uses none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError

Floats = NDArray[np.float64]

CONTENT_FREE = ("N/A", "[MASK]", "")  # Zhao et al. 2021, section 5


def bias_of(how: str, texts: Floats, content_free: Callable[[], Floats]) -> Floats:
    """The prior (K,) to subtract, in log-probabilities.

    `contextual`: log of the mean probability over content-free texts (Zhao et al. 2021, "Calibrate before
    use"). `batch`: mean log-probability over the validation texts (Zhou et al. 2024, "Batch calibration").
    Zeros when no row has a valid answer.
    """
    rows = content_free() if how == "contextual" else texts
    if how == "none" or not len(rows):
        return np.zeros(texts.shape[1])
    return np.asarray(rows.mean(axis=0) if how == "batch" else np.log(np.exp(rows).mean(axis=0)))


def check_two(labels: int) -> None:
    if labels != 2:
        raise ConfigError(f"a threshold needs two labels, not {labels}", key="readout.threshold")


def scale_of(predictions: Floats, loss_of: Callable[[Floats], float]) -> float:
    """1 / temperature at which the loss of `predictions` is lowest (Guo et al. 2017).

    It does not change which label is most probable, except where chunks are aggregated.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_scale: float) -> float:
        return loss_of(predictions * np.exp(log_scale))

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded").x))
