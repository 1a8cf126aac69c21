"""A number. Training sees it standardised; predictions are in the user's unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from stratune.objective.base import Objective, Truth


@dataclass(frozen=True)
class Value(Objective):
    """`mse`, `mae` or `huber` (from one standard deviation on) of the standardised value."""

    fitted_fields: ClassVar[tuple[str, ...]] = ("center", "scale")

    loss: str = "mse"
    center: float = 0.0  # mean of the training rows
    scale: float = 1.0  # and their standard deviation

    @property
    def outputs(self) -> int:
        return 1

    @property
    def problem_type(self) -> str:
        return "regression"

    def as_logits(self) -> tuple[float, NDArray[np.float64]]:
        return self.scale, np.array([self.center])

    @property
    def origin(self) -> float | None:
        return self.center

    def fitted(self, truth: Truth) -> Self:
        return replace(self, center=float(truth.mean()), scale=float(truth.std()) or 1.0)

    def start(self, truth: Truth, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64] | None:
        """The mean is 0 here; absolute errors are least at the median."""
        return np.array([(np.median(truth) - self.center) / self.scale]) if self.loss == "mae" else None

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        wanted = self.standardised(truth).to(logits.dtype)
        found = logits[:, 0]
        if self.loss == "mae":
            return F.l1_loss(found, wanted, reduction="none")
        if self.loss == "huber":
            return F.huber_loss(found, wanted, reduction="none")
        return F.mse_loss(found, wanted, reduction="none")

    def expected_losses(
        self, logits: Tensor, wanted: Tensor, weights: Tensor | None, smoothing: float
    ) -> Tensor:
        """Of values (B, 1)."""
        return self.losses(logits, wanted[:, 0], weights, smoothing)

    def standardised(self, truth: Tensor) -> Tensor:
        """(B,) in standard deviations from the mean of the training rows."""
        return (truth - self.center) / self.scale

    def shares(self, truth: Tensor) -> Tensor:
        return self.standardised(truth)[:, None].float()

    def similarity(self, truth: Tensor) -> Tensor:
        """1 for equal values, falling linearly to 0 at a distance of four standard deviations."""
        distance = (truth[:, None] - truth[None, :]).abs() / (4 * self.scale)
        return (1 - distance).clamp(min=0).float()

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        return logits[:, :1].astype(np.float64) * self.scale + self.center

    def decoded(self, logits: Tensor) -> Tensor:
        return logits[:, :1] * self.scale + self.center
