"""The module of readout `two_tower`: the vectors of a pair's two texts -> the pair's logits.

Reimers & Gurevych 2019, "Sentence-BERT": one net encodes both texts apart; the head reads (u, v, |u - v|)
and their cosine. u * v is InferSent's (Conneau et al. 2017): a linear layer then weighs each term of the
cosine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stratune.net.head import Encoder
from stratune.net.linear_head import LinearHead, OrderedCuts
from stratune.net.pooling import pooled

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch

# AdamW moves every weight by the same step, so a feature's size is how fast it is learned. The cosine is one
# feature beside 4 C others, and at their size it would be drowned by them. The 10 is reasoned, not tuned.
COSINE = 10.0
OTHERS = 0.5  # 4 C features have the variance of C
LEAST_SPREAD = 1e-3  # a feature that hardly differs between training rows is not blown up


class TwoTowerHead(LinearHead):
    """Vectors (2 B, C), first and second text of each pair in turn -> logits (B, outputs) in float32.

    Features are standardised by the training rows (`before_training`): cosines of many backbones are all near
    1, and a linear layer learns little from a large constant with small differences. After training the
    standardisation is folded into the linear layer, so a model folder holds that alone.
    """

    by_document = True
    reads_apart: ClassVar[bool] = True
    center: Tensor  # (4 C + 1,) mean of each feature
    scale: Tensor  # (4 C + 1,) what a feature is multiplied by

    def __init__(
        self, pool: Pool, width: int, outputs: int, norm: bool, dropout: float, seed: int, ordered: bool
    ) -> None:
        super().__init__()
        self.pool: Pool = pool
        self.norm = nn.LayerNorm(width, elementwise_affine=False) if norm else None
        self.dropout = nn.Dropout(dropout)
        count = 4 * width + 1
        self.kinds = ((2 * width, OTHERS), (width, OTHERS), (width, OTHERS), (1, COSINE))
        self.linear = nn.Linear(count, 1 if ordered else outputs)
        self.cuts = OrderedCuts(outputs) if ordered else None
        # Not in a state dict: constant from one fold to the next training, and computed anew for that.
        self.register_buffer("center", torch.zeros(count), persistent=False)
        self.register_buffer("scale", torch.ones(count), persistent=False)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.linear.weight.normal_(std=0.02, generator=generator)
            self.linear.bias.zero_()

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        return self.classify(self._vectors(net, batch))

    def _vectors(self, net: Encoder, batch: Batch) -> Tensor:
        """(2 B, C). First and second texts are two passes: one is often longer, and would pad the other."""
        if batch.pooled is not None:
            return batch.pooled
        sides = []
        for first in (0, 1):
            part = _every_second(batch, first)
            sides.append(pooled(net.encode(part), part.mask, self.pool))
        return torch.stack(sides, dim=1).flatten(0, 1)  # (B, 2, C) -> (2 B, C)

    def features(self, vectors: Tensor) -> Tensor:
        """(2 B, C) -> (B, 4 C + 1): u, v, |u - v|, u * v, and the cosine of u and v; not standardised."""
        vectors = vectors.float()
        vectors = vectors if self.norm is None else self.norm(vectors)
        u, v = vectors[0::2], vectors[1::2]
        cosine = F.cosine_similarity(u, v, dim=1)[:, None]
        return torch.cat([u, v, (u - v).abs(), u * v, cosine], dim=1)

    def classify(self, vectors: Tensor) -> Tensor:
        """(2 B, C) -> (B, outputs), in float32 under autocast, too."""
        with torch.autocast(vectors.device.type, enabled=False):
            x = (self.features(vectors) - self.center) * self.scale
            # No dropout of the cosine: the answer may hang on this one number.
            x = torch.cat([self.dropout(x[:, :-1]), x[:, -1:]], dim=1)
            found: Tensor = self.linear(x)
            return found if self.cuts is None else self.cuts(found)

    # -- standardised while it is trained

    @torch.no_grad()
    def before_training(self, net: Encoder, batches: Iterable[Batch]) -> None:
        """Mean and spread of each feature over these training rows, before anything is trained."""
        found = torch.cat([self.features(self._vectors(net, batch)).cpu() for batch in batches])
        spread, center = torch.std_mean(found, dim=0, correction=0)
        size = torch.full_like(spread, OTHERS)
        size[-1] = COSINE
        self.center.copy_(center)
        self.scale.copy_(size / spread.clamp(min=LEAST_SPREAD))

    @torch.no_grad()
    def after_training(self) -> None:
        """W (s * (x - m)) + b = (W * s) x + (b - (W * s) m)."""
        weight = self.linear.weight.double() * self.scale.double()
        self.linear.bias.copy_(self.linear.bias.double() - weight @ self.center.double())
        self.linear.weight.copy_(weight)
        self.center.zero_()
        self.scale.fill_(1.0)


def _every_second(batch: Batch, first: int) -> Batch:
    """The first (0) or the second (1) text of each pair, without the positions that none of them needs."""
    mask = batch.mask[first::2]
    used = mask.any(dim=0)
    parts = {
        name: value[first::2][:, used]
        for name in ("ids", "mask", "types", "hidden")
        if (value := getattr(batch, name)) is not None
    }
    return replace(batch, **parts, owner=None, count=0)
