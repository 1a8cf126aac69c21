"""The module of readout `features`: pooled text and features of the text side by side, one linear layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from stratune.net.head import Encoder
from stratune.net.pooled_head import PooledHead
from stratune.net.pooling import pooled

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch


SIZES = (0.25, 0.5, 2.0, 4.0)  # of the features, beside as large as the pooled text


class FeaturesHead(PooledHead):
    """Vectors (B, C + F), the pooled text and then the features -> logits (B, K) in float32.

    The F features together have the variance of the C numbers of the backbone, so that a penalty on the
    weights prefers neither; a head that is solved tries shares below and above.
    """

    reads_features: ClassVar[bool] = True

    def __init__(
        self,
        pool: Pool,
        width: int,
        count: int,
        outputs: int,
        norm: bool,
        dropout: float,
        seed: int,
        ordered: bool,
    ) -> None:
        super().__init__(pool, width + count, outputs, False, dropout, True, seed, ordered)
        self.width = width
        self.norm = nn.LayerNorm(width, elementwise_affine=False) if norm else None
        even = math.sqrt(width / count)
        self.kinds = ((width, 1.0), (count, even))
        self.other_kinds = tuple(((width, 1.0), (count, even * size)) for size in SIZES)

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        assert batch.features is not None
        found = batch.pooled if batch.pooled is not None else pooled(net.encode(batch), batch.mask, self.pool)
        return self.classify(torch.cat([found.float(), batch.features], dim=1))

    def features(self, vectors: Tensor) -> Tensor:
        """(B, C + F) -> (B, C + F): the pooled text normalised, the features as they are."""
        vectors = vectors.float()
        text, features = vectors[:, : self.width], vectors[:, self.width :]
        return vectors if self.norm is None else torch.cat([self.norm(text), features], dim=1)
