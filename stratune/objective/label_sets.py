"""Any number of labels at once: a question for each, and a threshold of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor
from torch.nn import functional as F

from stratune.objective.base import Objective, Truth


@dataclass(frozen=True)
class Binary(Objective):
    """Sigmoid of each label. `shifts` (K,) are what validation takes off the logits, so that a label is
    given from a probability of one half on.
    """

    fitted_fields: ClassVar[tuple[str, ...]] = ("shifts",)

    shifts: tuple[float, ...] = ()

    @property
    def problem_type(self) -> str:
        return "multi_label_classification"

    def as_logits(self) -> tuple[float, NDArray[np.float64]]:
        return 1.0, -np.asarray(self.shifts or np.zeros(self.labels), dtype=np.float64)

    def tuned(self, logits: NDArray[Any], truth: Truth) -> Self:
        """The thresholds with the best F1 of each label (Lipton et al. 2014); of equals that nearest to 0."""
        return replace(self, shifts=tuple(_best(logits[:, k], truth[:, k]) for k in range(self.labels)))

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        wanted = truth.float() * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(dim=1)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        shifts = np.asarray(self.shifts) if self.shifts else np.zeros(self.labels)
        return np.asarray(expit(logits.astype(np.float64) - shifts))


def _best(logits: NDArray[Any], truth: Truth) -> float:
    """The cut between two logits (N,) at which F1 is highest; 0 where validation has no such row."""
    if not truth.any():
        return 0.0
    order = np.argsort(-logits, kind="stable")
    values, hits = logits[order].astype(np.float64), np.cumsum(truth[order])
    taken = np.arange(1, len(values) + 1)
    f1 = 2 * hits / (taken + truth.sum())
    ends = np.append(values[:-1] > values[1:], True)  # rows of one logit are taken together
    cuts = (values + np.append(values[1:], values[-1] - 1)) / 2
    best = np.flatnonzero(ends & (f1 >= f1[ends].max() - 1e-12))
    return float(min(cuts[best], key=abs))
