"""One label of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from stratune.objective.base import Objective, Truth, counted, weighted


@dataclass(frozen=True)
class CrossEntropy(Objective):
    """Softmax over the labels."""

    softmax: ClassVar[bool] = True

    def start(self, truth: Truth, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        found = np.log(counted(truth, self.labels, weights) + 0.5)
        return np.asarray(found - found.mean())

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        return weighted(
            F.cross_entropy(logits, truth, reduction="none", label_smoothing=smoothing), truth, weights
        )

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        return softmax(logits)

    def decoded(self, logits: Tensor) -> Tensor:
        return logits.softmax(dim=1)


@dataclass(frozen=True)
class TokenNLL(CrossEntropy):
    """Negative log-likelihood of the label's tokens; logits are log-probabilities over the full vocabulary.

    The loss of a language model, on the label's tokens only. Unlike cross-entropy over the labels, it also
    falls when probability moves to the label from words that are no label.
    """

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        return weighted(-logits.gather(1, truth[:, None])[:, 0], truth, weights)


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """(N, K) logits -> (N, K) probabilities in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
