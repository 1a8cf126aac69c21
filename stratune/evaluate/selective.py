"""Selective prediction: who answers only where the model is confident makes fewer mistakes.

The risk at a coverage of 30 % is the share of errors among the 30 % of rows with the most confident answers.
Its mean over all coverages is the area under the risk-coverage curve, AURC (Geifman & El-Yaniv 2017,
"Selective Classification for Deep Neural Networks"): low where errors come with low confidence.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from stratune.evaluate.arrays import Flags, Floats, share

STEPS = 200  # of coverage, where there are more confidences than that


class RiskCoverage:
    """(N,) confidences, and which answers are wrong. Rows of one step are taken together."""

    def __init__(self, confidence: Floats, wrong: Flags) -> None:
        levels, step = np.unique(-confidence, return_inverse=True)  # the most confident first
        if len(levels) > STEPS:
            edges = np.quantile(step, np.linspace(0, 1, STEPS + 1)[1:-1], method="lower")
            step = np.unique(np.searchsorted(edges, step, side="left"), return_inverse=True)[1]
        self.step, self.wrong = step, np.asarray(wrong, dtype=np.float64)

    def __call__(self, weights: Floats, total: Floats) -> Floats:
        """Weightings (N, R) -> AURC (R,)."""
        rows, errors = (self._adder @ weights).reshape(2, -1, weights.shape[1])  # (P, R)
        risk = share(np.cumsum(errors, axis=0), np.cumsum(rows, axis=0))
        return np.asarray((rows * risk).sum(axis=0) / total)

    def points(self) -> tuple[Floats, Floats]:
        """(P,) coverages, rising, and the risk at each."""
        rows = np.cumsum(np.bincount(self.step))
        return rows / len(self.step), np.cumsum(np.bincount(self.step, weights=self.wrong)) / rows

    @cached_property
    def _adder(self) -> Any:
        """Sparse (2P, N): adds up, by step, rows and errors."""
        from scipy.sparse import csr_array

        rows, steps = len(self.step), int(self.step.max()) + 1
        cells = np.concatenate([self.step, self.step + steps])
        values = np.concatenate([np.ones(rows), self.wrong])
        return csr_array((values, (cells, np.tile(np.arange(rows), 2))), shape=(2 * steps, rows))
