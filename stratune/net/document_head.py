"""The head over chunks: vectors of a document's chunks -> its answer.

Yang et al. 2016, "Hierarchical attention networks"; Pappagari et al. 2019, "Hierarchical transformers".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from stratune.memory import trim_heap
from stratune.net.head import Encoder, Head
from stratune.net.pooling import pooled

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch

HIDDEN = 128  # of the small models
# Tokens of a document's chunks whose activations are held at once; on accelerators eight times as many. With
# 4,096 LoRA on minilm held 5.0 GB while it was trained on whole hearings.
TOKENS_AT_ONCE = 2048


class DocumentHead(Head):
    """(N', C) vectors and the document (N',) of each -> (B, outputs) in float32."""

    def __init__(
        self, pool: Pool, width: int, outputs: int, model: str, dropout: float, last: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.pool: Pool = pool
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.mix = MIXERS[model](width)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(self.mix.width, 1 if last is not None else outputs)
        self.cuts = last
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    by_document = True

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        assert batch.owner is not None
        vectors = batch.pooled if batch.pooled is not None else self._vectors(net, batch)
        return self.classify(vectors, batch.owner, batch.count)

    def _vectors(self, net: Encoder, batch: Batch) -> Tensor:
        """(N', C) of chunks. In training only so many are held in memory at once: their blocks run again in
        the backward pass (as GradCache does, Gao et al. 2021).
        """

        def encoded(part: Batch) -> Tensor:
            trim_heap()
            return pooled(net.encode(part), part.mask, self.pool)

        tokens = TOKENS_AT_ONCE * (1 if batch.ids.device.type == "cpu" else 8)
        parts = batch.split(max(1, tokens // batch.ids.shape[1]))
        if not torch.is_grad_enabled():
            return torch.cat([encoded(part) for part in parts])
        return torch.cat([checkpoint(encoded, part, use_reentrant=False) for part in parts])

    def classify(self, vectors: Tensor, owner: Tensor, count: int) -> Tensor:
        with torch.autocast(vectors.device.type, enabled=False):
            packed, mask = by_document(self.norm(vectors.float()), owner, count)
            found: Tensor = self.linear(self.dropout(self.mix(packed, mask)))
            return found if self.cuts is None else self.cuts(found)


def by_document(vectors: Tensor, owner: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(N', C) in order of their documents -> (B, M, C) padded, (B, M) True where there is a chunk."""
    sizes = torch.bincount(owner, minlength=count)
    place = torch.arange(len(owner), device=owner.device) - (sizes.cumsum(0) - sizes)[owner]
    longest = int(sizes.max())
    packed = vectors.new_zeros(count, longest, vectors.shape[1]).index_put((owner, place), vectors)
    mask = torch.zeros(count, longest, dtype=torch.bool, device=owner.device)
    mask[owner, place] = True
    return packed, mask


def _mean(vectors: Tensor, mask: Tensor) -> Tensor:
    weight = mask.float() / mask.sum(dim=1, keepdim=True)
    return torch.einsum("bmc,bm->bc", vectors, weight)


class Mean(nn.Module):
    """The mean of the vectors."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        return _mean(vectors, mask)


class Attention(nn.Module):
    """Each vector through a layer; their mean, weighted by what each is worth to a learned question behind a
    gate (Ilse, Tomczak & Welling 2018, "Attention-based deep multiple instance learning").
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = HIDDEN
        self.layer = nn.Linear(width, HIDDEN)
        self.key = nn.Linear(HIDDEN, HIDDEN)
        self.gate = nn.Linear(HIDDEN, HIDDEN)
        self.question = nn.Linear(HIDDEN, 1, bias=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        found = nn.functional.gelu(self.layer(vectors))
        worth = self.question(torch.tanh(self.key(found)) * torch.sigmoid(self.gate(found)))[..., 0]
        weights = worth.masked_fill(~mask, -torch.inf).softmax(dim=1)
        return torch.einsum("bmc,bm->bc", found, weights)


class Mlp(nn.Module):
    """Each vector through two layers; their mean and their highest values side by side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = 2 * HIDDEN
        self.layers = nn.Sequential(nn.Linear(width, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        found = self.layers(vectors)
        highest = found.masked_fill(~mask[..., None], -torch.inf).max(dim=1).values
        return torch.cat([_mean(found, mask), highest], dim=1)


class BiLstm(nn.Module):
    """Read in order from both ends; the highest values of all steps."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = 2 * HIDDEN
        self.lstm = nn.LSTM(width, HIDDEN, batch_first=True, bidirectional=True)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(dim=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        found, _ = nn.utils.rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=mask.shape[1]
        )
        return found.masked_fill(~mask[..., None], -torch.inf).max(dim=1).values


class Transformer(nn.Module):
    """Two layers in which the chunks see each other, with sines for their order; the mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = HIDDEN
        self.down = nn.Linear(width, HIDDEN)
        layer = nn.TransformerEncoderLayer(
            HIDDEN, 4, 2 * HIDDEN, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        x = self.down(vectors)
        x = x + 0.1 * _sines(x.shape[1], HIDDEN).to(x)
        return _mean(self.layers(x, src_key_padding_mask=~mask), mask)


def _sines(length: int, width: int) -> Tensor:
    """(length, width), Vaswani et al. 2017."""
    place = torch.arange(length)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    return torch.stack([torch.sin(place * rate), torch.cos(place * rate)], dim=-1).reshape(length, width)


MIXERS: dict[str, type[Mean | Attention | Mlp | BiLstm | Transformer]] = {
    "mean": Mean,
    "attention": Attention,
    "mlp": Mlp,
    "bilstm": BiLstm,
    "transformer": Transformer,
}
