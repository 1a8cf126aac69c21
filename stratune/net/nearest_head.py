"""Heads that hold vectors and answer by cosine: of classes (CosineHead) or of training rows (KnnHead)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stratune.net.head import Encoder, Head
from stratune.net.pooling import pooled

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch

Shares = Literal["softmax", "sigmoid", "value"]  # how the objective makes predictions of logits
LEAST = 1e-3  # of cosine: keeps the weights of equally near neighbours equal


class VectorHead(Head):
    """Cached pooled vectors (B, C), or hidden states that it pools -> logits in float32."""

    def __init__(self, pool: Pool, width: int) -> None:
        super().__init__()
        self.pool: Pool = pool
        self.center = _held(torch.zeros(width))  # subtracted from every vector

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        found = batch.pooled if batch.pooled is not None else pooled(net.encode(batch), batch.mask, self.pool)
        with torch.autocast(found.device.type, enabled=False):
            return self.classify(self.unit(found))

    def unit(self, vectors: Tensor) -> Tensor:
        """(B, C) -> (B, C) of length 1."""
        return F.normalize(vectors.float() - self.center, dim=1)

    def classify(self, unit: Tensor) -> Tensor:
        raise NotImplementedError


class CosineHead(VectorHead):
    """A linear layer on vectors of length 1: weight (K, C) holds one vector for each label, scaled."""

    def __init__(self, pool: Pool, width: int, outputs: int) -> None:
        super().__init__(pool, width)
        self.weight = _held(torch.zeros(outputs, width))
        self.bias = _held(torch.zeros(outputs))

    def classify(self, unit: Tensor) -> Tensor:
        return F.linear(unit, self.weight, self.bias)


class KnnHead(VectorHead):
    """Keys (M, C) of length 1 and values (M, V): label shares, or a number, of M training rows.

    Neighbours are weighted by (s - s') / (s1 - s'), where s is a neighbour's cosine, s1 the nearest's and s'
    that of the first row that is none (Dudani, 1976). So a row enters with a weight of zero, and rounding
    in the last digit moves no answer.
    """

    def __init__(self, pool: Pool, width: int, outputs: int, shares: Shares) -> None:
        super().__init__(pool, width)
        self.shares = shares
        self.keys = _held(torch.zeros(1, width))
        self.values = _held(torch.zeros(1, outputs))
        self.k = _held(torch.ones(1))

    def make_room(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        (rows, width), (values, outputs) = (shapes.get(name, (0, 0)) for name in ("keys", "values"))
        if rows != values or not rows or width != len(self.center) or outputs != self.values.shape[1]:
            raise ValueError(f"{rows} keys of width {width}, {values} values of {outputs}")
        self.keys, self.values = _held(torch.zeros(rows, width)), _held(torch.zeros(rows, outputs))

    def fold(self) -> None:
        """The number of neighbours becomes one that no tensor holds: for an exported graph."""
        k: Any = float(self.k)
        del self.k
        self.k = k

    def classify(self, unit: Tensor) -> Tensor:
        cosines = unit @ self.keys.T  # (B, M)
        k = max(1, min(round(float(self.k)), len(self.keys)))
        near, at = cosines.topk(min(k + 1, len(self.keys)), dim=1)
        edge = near[:, -1:] if len(self.keys) > k else torch.full_like(near[:, :1], -1.0)
        near, at = near[:, :k], at[:, :k]
        weights = (near - edge + LEAST) / (near[:, :1] - edge + LEAST)  # (B, k), the nearest's is 1
        summed = torch.einsum("bk,bkv->bv", weights, self.values[at])
        total = weights.sum(dim=1, keepdim=True)
        if self.shares == "value":
            return summed / total
        prior = self.values.mean(dim=0)  # one more neighbour, so that no share is zero
        share = ((summed + prior) / (total + 1)).clamp(1e-6, 1 - 1e-6)
        return share.log() if self.shares == "softmax" else torch.logit(share)


def _held(tensor: Tensor) -> nn.Parameter:
    """A tensor of the model that is set, not trained."""
    return nn.Parameter(tensor, requires_grad=False)
