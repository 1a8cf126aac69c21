"""Any number of labels at once: a question for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor
from torch.nn import functional as F

from stratune.objective.base import Objective, Truth, log_odds


@dataclass(frozen=True)
class Binary(Objective):
    """Sigmoid of each label. From which probability on a label is given is decided elsewhere."""

    several_labels: ClassVar[bool] = True

    @property
    def problem_type(self) -> str:
        return "multi_label_classification"

    def start(self, truth: Truth, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        counts = truth.sum(axis=0).astype(np.float64)
        return log_odds(counts, len(truth) - counts)

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        wanted = truth.float() * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(dim=1)

    def expected_losses(
        self, logits: Tensor, wanted: Tensor, weights: Tensor | None, smoothing: float
    ) -> Tensor:
        """Of how much a row has of each label: (B, K) between 0 and 1."""
        return self.losses(logits, wanted, weights, smoothing)

    def shares(self, truth: Tensor) -> Tensor:
        return truth.float()

    def similarity(self, truth: Tensor) -> Tensor:
        """Labels in common over labels of either (Jaccard); 1 where neither has any."""
        rows = truth.float()
        common, sizes = rows @ rows.T, rows.sum(dim=1)
        either = sizes[:, None] + sizes[None, :] - common
        return torch.where(either > 0, common / either.clamp(min=1), torch.ones_like(common))

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(expit(logits.astype(np.float64)))

    def decoded(self, logits: Tensor) -> Tensor:
        return logits.sigmoid()
