"""Calibration: whether 80 % of the rows to which a model gives a probability of 80 % are right.

`ConfidenceBins` measures it, `Scaling` mends it: scores (log-probabilities, or logits of one label by itself)
are multiplied and shifted, and become probabilities again. Temperature scaling has one factor for all labels,
vector scaling a factor and a shift for each (Guo et al. 2017, "On Calibration of Modern Neural Networks").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from stratune.evaluate.arrays import Flags, Floats

Calibrate = Literal["none", "temperature", "vector"]
CALIBRATE: tuple[Calibrate, ...] = get_args(Calibrate)
BINS = 15


class ConfidenceBins:
    """(N,) confidences, and whether each came true, in bins of equally many rows.

    Bins of equal width leave most of them nearly empty where a model is sure (Nixon et al. 2019, "Measuring
    Calibration in Deep Learning"). Rows of one confidence share a bin.
    """

    def __init__(self, confidence: Floats, correct: Flags) -> None:
        edges = np.quantile(confidence, np.linspace(0, 1, BINS + 1)[1:-1], method="lower")
        self.bin = np.unique(np.searchsorted(edges, confidence, side="right"), return_inverse=True)[1]
        self.confidence, self.correct = confidence, np.asarray(correct, dtype=np.float64)

    def __call__(self, weights: Floats, total: Floats) -> Floats:
        """Weightings (N, R) -> expected calibration error (R,): |accuracy - confidence|, mean over rows."""
        return np.asarray(np.abs(self._gaps @ weights).sum(axis=0) / total)

    def points(self) -> tuple[Floats, Floats, Floats]:
        """(B,) mean confidence of each bin, the share that came true, and its rows."""
        rows = np.bincount(self.bin).astype(np.float64)
        confidence = np.bincount(self.bin, weights=self.confidence) / rows
        return confidence, np.bincount(self.bin, weights=self.correct) / rows, rows

    @cached_property
    def _gaps(self) -> Any:
        """Sparse (B, N): adds up, by bin, what came true less what was expected."""
        from scipy.sparse import csr_array

        rows = len(self.bin)
        shape = (int(self.bin.max()) + 1, rows)
        return csr_array((self.correct - self.confidence, (self.bin, np.arange(rows))), shape=shape)


@dataclass(frozen=True)
class Scaling:
    """scores * scale + bias. `scale`: one number, or one for each label; empty: nothing is scaled."""

    scale: tuple[float, ...] = ()
    bias: tuple[float, ...] = ()

    def __call__(self, scores: Floats) -> Floats:
        """(N, K) -> (N, K)."""
        return np.asarray(scores * np.asarray(self.scale or 1.0) + np.asarray(self.bias or 0.0))

    def __bool__(self) -> bool:
        return bool(self.scale or self.bias)


def fit_scaling(scores: Floats, truth: Floats, way: Calibrate, *, joint: bool) -> Scaling:
    """The scaling with the lowest log loss of N rows: `scores` and `truth` (N, K), zeros and ones.

    `joint`: the labels' probabilities sum to one (softmax), else each stands by itself (sigmoid). Logarithms
    of the factors, and the shifts, have a standard normal prior: without it a label that no row has, or rows
    that are all right, would send them to infinity.
    """
    from scipy.optimize import minimize

    rows, labels = scores.shape
    if way == "none" or not rows:
        return Scaling()
    shared = way == "temperature"
    width = 1 if shared else labels

    def loss(parameters: Floats) -> tuple[float, Floats]:
        """Negative log posterior over rows, and its gradient."""
        scale, bias = np.exp(parameters[:width]), parameters[width:] if not shared else np.zeros(labels)
        moved = scores * scale + bias  # (N, K)
        value, error = (_softmax_loss if joint else _sigmoid_loss)(moved, truth)
        by_scale = (error * scores * scale).sum(axis=0)  # (K,)
        gradient = by_scale.sum(keepdims=True) if shared else np.concatenate([by_scale, error.sum(axis=0)])
        return (value + 0.5 * float(parameters @ parameters)) / rows, (gradient + parameters) / rows

    start = np.zeros(width if shared else 2 * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-6.0, 6.0)] * len(start)).x
    bias = () if shared else tuple(map(float, found[width:]))
    return Scaling(tuple(map(float, np.exp(found[:width]))), bias)


def _softmax_loss(scores: Floats, truth: Floats) -> tuple[float, Floats]:
    """(log loss summed over rows, its gradient (N, K)) of labels whose probabilities sum to one."""
    from scipy.special import log_softmax

    log_p = log_softmax(scores, axis=1)
    return float(-(truth * log_p).sum()), np.exp(log_p) - truth


def _sigmoid_loss(scores: Floats, truth: Floats) -> tuple[float, Floats]:
    """(log loss summed over rows and labels, its gradient (N, K)) of labels that stand by themselves."""
    from scipy.special import expit

    return float((np.logaddexp(0.0, scores) - truth * scores).sum()), expit(scores) - truth
