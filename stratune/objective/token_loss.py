"""A loss that the net has computed already: of a language model, which knows what it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stratune.objective.base import Objective


@dataclass(frozen=True)
class TokenLoss(Objective):
    """The net's output (B, 1) is the loss of each row; there is no truth beside the text itself."""

    labels: int = 0

    @property
    def outputs(self) -> int:
        return 1

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        return logits[:, 0]

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        return logits.astype(np.float64)
