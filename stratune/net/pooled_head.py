"""The module of readout `head`: pool by mask, normalise, one linear layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from stratune.net.head import Encoder, Head
from stratune.net.pooling import pooled

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch


class PooledHead(Head):
    """Hidden states (B, T, C), or cached pooled vectors (B, C) -> logits (B, K) in float32."""

    def __init__(
        self,
        pool: Pool,
        width: int,
        outputs: int,
        norm: bool,
        dropout: float,
        bias: bool,
        seed: int,
        ordered: bool = False,
    ) -> None:
        super().__init__()
        self.pool: Pool = pool
        self.norm = nn.LayerNorm(width, elementwise_affine=False) if norm else None
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, 1 if ordered else outputs, bias=bias)
        self.cuts = OrderedCuts(outputs) if ordered else None
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.linear.weight.normal_(std=0.02, generator=generator)
            if bias:
                self.linear.bias.zero_()

    def start_at(self, logits: Tensor) -> None:
        start_at(self.linear, self.cuts, logits)

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        if batch.pooled is not None:
            return self.classify(batch.pooled)
        return self.classify(pooled(net.encode(batch), batch.mask, self.pool))

    def classify(self, pooled_text: Tensor) -> Tensor:
        """(B, C) -> (B, K), in float32 under autocast, too."""
        with torch.autocast(pooled_text.device.type, enabled=False):
            x = pooled_text.float()
            x = self.norm(x) if self.norm is not None else x
            found: Tensor = self.linear(self.dropout(x))
            return found if self.cuts is None else self.cuts(found)


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
