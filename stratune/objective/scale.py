"""A number, predicted as the mean of a scale's levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stratune.objective.base import Objective, Truth
from stratune.objective.classes import CrossEntropy, TokenNLL, softmax


@dataclass(frozen=True)
class Scale(Objective):
    """Each level counts as much as the model finds it probable (Liu et al. 2023, "G-Eval", section 2).

    Training sees the level that is nearest to a row's value. `of_tokens`: see Surprise.
    """

    fitted_fields: ClassVar[tuple[str, ...]] = ("center",)

    levels: tuple[float, ...] = ()
    of_tokens: bool = True
    center: float = 0.0  # mean of the training rows

    @property
    def origin(self) -> float | None:
        return self.center

    def fitted(self, truth: Truth) -> Self:
        return replace(self, center=float(truth.mean()))

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        levels = torch.tensor(self.levels, device=truth.device, dtype=truth.dtype)
        nearest = (truth[:, None] - levels).abs().argmin(dim=1)
        loss = (TokenNLL if self.of_tokens else CrossEntropy)(self.labels)
        return loss.losses(logits, nearest, None, smoothing)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """(N, K) probabilities of the levels."""
        return softmax(logits)

    def predictions(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, K) -> (N, 1)."""
        return np.asarray(probabilities @ np.array(self.levels)[:, None])


def names(levels: tuple[float, ...]) -> tuple[str, ...]:
    """As the levels are asked about: 3, not 3.0."""
    return tuple(f"{level:g}" for level in levels)


def nearest_names(values: NDArray[np.float64], levels: tuple[float, ...]) -> list[str]:
    """Each value's level, by name; of two equally near the lower one."""
    nearest = np.abs(values[:, None] - np.array(levels)).argmin(axis=1)
    return [names(levels)[k] for k in nearest]
