"""A head that is one linear layer on features of pooled vectors, and the cuts of ordered levels behind it."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from stratune.net.head import Head

Kinds = tuple[tuple[int, float], ...]


class LinearHead(Head):
    """Pooled vectors -> `features` (N, F) -> `linear` -> logits; ordered levels have `cuts` behind it.

    `kinds`: (how many features, their size) of features that follow each other and are alike. Before the
    layer is fitted or trained, features of a kind are scaled by one number, to this size.
    `other_kinds`: other sizes that are tried where the layer is solved, because a penalty on the weights
    prefers large features.
    """

    is_linear: ClassVar[bool] = True

    linear: nn.Linear
    cuts: OrderedCuts | None
    kinds: Kinds
    other_kinds: tuple[Kinds, ...] = ()

    def features(self, vectors: Tensor) -> Tensor:
        """Vectors (M, C) of N rows -> (N, F) float32."""
        raise NotImplementedError

    def start_at(self, logits: Tensor) -> None:
        start_at(self.linear, self.cuts, logits)


class OrderedCuts(nn.Module):
    """Cumulative link: one number (B, 1) minus each of `count` rising thresholds -> (B, count)."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.tensor([-(count - 1) / 2]))
        self.gaps = nn.Parameter(torch.full((count - 1,), 0.5413))  # softplus of it is 1

    def start_at(self, logits: Tensor) -> None:
        """`logits` (count,) falling."""
        with torch.no_grad():
            self.first.copy_(-logits[:1])
            self.gaps.copy_(torch.log(torch.expm1((logits[:-1] - logits[1:]).clamp(min=1e-3))))

    def forward(self, number: Tensor) -> Tensor:
        steps = nn.functional.softplus(self.gaps).cumsum(dim=0)
        return number - torch.cat([self.first, self.first + steps])


def start_at(linear: nn.Linear, cuts: OrderedCuts | None, logits: Tensor) -> None:
    """Let the last layer of a head give `logits` for a text of which it knows nothing."""
    if cuts is not None:
        cuts.start_at(logits)
    elif linear.bias is not None:  # decoders have none
        with torch.no_grad():
            linear.bias.copy_(logits)
