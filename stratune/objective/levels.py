"""One level of several in order: K - 1 questions, "is it above level k?", instead of K labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor
from torch.nn import functional as F

from stratune.objective.base import Objective, Truth, counted, log_odds, weighted


@dataclass(frozen=True)
class Ordered(Objective):
    """Objectives of ordered levels."""

    def similarity(self, truth: Tensor) -> Tensor:
        """1 on the same level, 0 between the lowest and the highest, linear between."""
        return 1 - (truth[:, None] - truth[None, :]).abs().float() / max(1, self.labels - 1)


@dataclass(frozen=True)
class Corn(Ordered):
    """Each question is asked of the rows that are above the level before (Shi, Cao & Raschka 2021).

    So P(above k) is a product of conditional probabilities, which never rises with k.
    """

    @property
    def outputs(self) -> int:
        return self.labels - 1

    def start(self, truth: Truth, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        counts = counted(truth, self.labels, weights)
        above = counts[::-1].cumsum()[::-1]  # (K,) rows at the level or above it
        return log_odds(above[1:], counts[:-1])

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        level = torch.arange(self.outputs, device=logits.device)
        above, asked = (truth[:, None] > level).float(), truth[:, None] >= level
        each = F.binary_cross_entropy_with_logits(logits, _smoothed(above, smoothing), reduction="none")
        return weighted((each * asked).sum(dim=1) / self.outputs, truth, weights)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        return _levels(np.cumprod(expit(logits.astype(np.float64)), axis=1))

    def decoded(self, logits: Tensor) -> Tensor:
        above = [logits[:, :1].sigmoid()]
        for level in range(1, self.outputs):  # ONNX has no cumulative product
            above.append(above[-1] * logits[:, level : level + 1].sigmoid())
        return _decoded_levels(torch.cat(above, dim=1))


@dataclass(frozen=True)
class Cumulative(Ordered):
    """The proportional-odds model (McCullagh 1980): one number, and K - 1 cuts in order that it is held
    against. The logits are the number less each cut.
    """

    ordered_cuts: ClassVar[bool] = True

    @property
    def outputs(self) -> int:
        return self.labels - 1

    def start(self, truth: Truth, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Falls from level to level, also where one has no rows: each gets half a row."""
        seen = counted(truth, self.labels, weights) + 0.5
        below = seen.cumsum()[:-1]
        return np.asarray(np.log((seen.sum() - below) / below))

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        end = logits.new_full((len(logits), 1), torch.inf)
        cuts = torch.cat([end, logits, -end], dim=1)  # above level -1 for certain, above the last one never
        above = cuts.gather(1, truth[:, None])[:, 0]
        beyond = cuts.gather(1, truth[:, None] + 1)[:, 0]
        # log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b - a)), b < a
        gap = torch.where(torch.isfinite(above - beyond), above - beyond, torch.inf)
        log_p = F.logsigmoid(above.clamp(max=1e4)) + F.logsigmoid((-beyond).clamp(max=1e4))
        losses = -(log_p + torch.log(-torch.expm1(-gap.clamp(min=1e-6))))
        return weighted(losses, truth, weights)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        return _levels(expit(logits.astype(np.float64)))

    def decoded(self, logits: Tensor) -> Tensor:
        return _decoded_levels(logits.sigmoid())


@dataclass(frozen=True)
class LevelValue(Ordered):
    """The level as a number, squared error; a value between two levels is shared out among them."""

    @property
    def outputs(self) -> int:
        return 1

    def start(self, truth: Truth, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        counts = counted(truth, self.labels, weights)
        return np.array([counts @ np.arange(self.labels) / counts.sum() - self._middle])

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        return weighted((logits[:, 0] + self._middle - truth) ** 2, truth, weights)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        value = np.clip(logits[:, :1].astype(np.float64) + self._middle, 0, self.labels - 1)
        return np.asarray(np.clip(1 - np.abs(value - np.arange(self.labels)), 0, 1))

    def decoded(self, logits: Tensor) -> Tensor:
        value = (logits[:, :1] + self._middle).clamp(0, self.labels - 1)
        levels = torch.arange(self.labels, dtype=logits.dtype, device=logits.device)
        return (1 - (value - levels).abs()).clamp(0, 1)

    @property
    def _middle(self) -> float:
        """Where an untrained head starts."""
        return (self.labels - 1) / 2


def _smoothed(above: Tensor, smoothing: float) -> Tensor:
    return above * (1 - smoothing) + smoothing / 2


def _levels(above: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, K - 1) probabilities of being above each level -> (N, K) of being at it."""
    ends = np.ones((len(above), 1)), np.zeros((len(above), 1))
    return np.clip(-np.diff(np.hstack([ends[0], above, ends[1]]), axis=1), 0, 1)


def _decoded_levels(above: Tensor) -> Tensor:
    """`_levels`, in torch."""
    first, last = torch.ones_like(above[:, :1]), torch.zeros_like(above[:, :1])
    ends = torch.cat([first, above, last], dim=1)
    return (ends[:, :-1] - ends[:, 1:]).clamp(0, 1)
