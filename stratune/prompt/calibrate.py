"""Calibration: subtract the model's prior over the labels; decision threshold; temperature scaling.

Arrays are normalised log-probabilities of labels (N, K). Rows with an invalid answer are NaN, which only
`threshold` accepts. `threshold` and `scale_of` use labels of the validation part, `bias_of` uses none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError

Floats = NDArray[np.float64]

CONTENT_FREE = ("N/A", "[MASK]", "")  # Zhao et al. 2021, section 5
SHIFTS = 200  # most thresholds that are tried


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


def threshold(predictions: Floats, metric: Callable[[Floats], float]) -> Floats:
    """The bias (2,) for which `metric` (higher is better) is highest; of ties the smallest.

    Raises ConfigError unless there are two labels.
    """
    check_two(predictions.shape[1])
    margins = predictions[:, 1] - predictions[:, 0]
    margins = np.unique(margins[~np.isnan(margins)])
    between = (margins[1:] + margins[:-1]) / 2
    if len(between) > SHIFTS:
        between = np.quantile(between, np.linspace(0, 1, SHIFTS))
    shifts = [0.0, *between[np.argsort(np.abs(between), kind="stable")]]
    values = [metric(predictions - np.array([0.0, shift])) for shift in shifts]
    return np.array([0.0, shifts[int(np.argmax(values))]])


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
