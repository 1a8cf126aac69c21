"""The module of readout `head`: pool by mask, normalise, one linear layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from stratune.net.head import Encoder
from stratune.net.linear_head import LinearHead, OrderedCuts
from stratune.net.pooling import pooled

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch


class PooledHead(LinearHead):
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
        self.kinds = ((width, 1.0),)
        self.linear = nn.Linear(width, 1 if ordered else outputs, bias=bias)
        self.cuts = OrderedCuts(outputs) if ordered else None
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.linear.weight.normal_(std=0.02, generator=generator)
            if bias:
                self.linear.bias.zero_()

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        if batch.pooled is not None:
            return self.classify(batch.pooled)
        return self.classify(pooled(net.encode(batch), batch.mask, self.pool))

    def features(self, vectors: Tensor) -> Tensor:
        """(B, C) -> (B, C)."""
        vectors = vectors.float()
        return vectors if self.norm is None else self.norm(vectors)

    def classify(self, pooled_text: Tensor) -> Tensor:
        """(B, C) -> (B, K), in float32 under autocast, too."""
        with torch.autocast(pooled_text.device.type, enabled=False):
            found: Tensor = self.linear(self.dropout(self.features(pooled_text)))
            return found if self.cuts is None else self.cuts(found)
