"""What a language model would say anyway, taken away from what it says of a text; threshold and temperature.

Arrays are log-probabilities of the labels (N, K), rows normalised; NaN in rows that were answered with no
label, which only `threshold` takes. Only `threshold` and `temperature` read
labels, those of the validation part.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError

Floats = NDArray[np.float64]

CONTENT_FREE = ("N/A", "[MASK]", "")  # Zhao et al. 2021, section 5
SHIFTS = 200  # thresholds that are tried, at most


def bias_of(how: str, texts: Floats, content_free: Callable[[], Floats]) -> Floats:
    """(K,) to subtract.

    `contextual`: the mean probability over texts without content (Zhao et al. 2021, "Calibrate before use").
    `batch`: the mean over the validation texts (Zhou et al. 2024, "Batch calibration").
    Zeros where not one row was answered with a label.
    """
    rows = content_free() if how == "contextual" else texts
    if how == "none" or not len(rows):
        return np.zeros(texts.shape[1])
    return np.asarray(rows.mean(axis=0) if how == "batch" else np.log(np.exp(rows).mean(axis=0)))


def threshold(predictions: Floats, metric: Callable[[Floats], float]) -> Floats:
    """The bias (2,) that makes the second label win from where `metric` (higher is better) is highest.

    Of equals the one that moves least. Raises ConfigError for more than two labels.
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
        raise ConfigError(f"a threshold is between two labels, not {labels}", key="readout.threshold")


def scale_of(predictions: Floats, of: Callable[[Floats], float]) -> float:
    """One over the temperature at which the loss `of` what is said is lowest (Guo et al. 2017).

    It changes no answer, but where several of them are joined to one.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_scale: float) -> float:
        return of(predictions * np.exp(log_scale))

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded").x))
