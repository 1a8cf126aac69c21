"""The head of `long: hierarchical`: vectors of a document's chunks -> the document's logits.

Yang et al. 2016, "Hierarchical attention networks"; Pappagari et al. 2019, "Hierarchical transformers".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from stratune.memory import trim_heap
from stratune.net.cpu_kernels import run_again
from stratune.net.head import Encoder, Head
from stratune.net.linear_head import OrderedCuts, start_at
from stratune.net.pooling import pooled

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch

HIDDEN = 128  # width of the small models over chunks
# Tokens in one gradient-checkpointed group of chunks (x 8 on GPUs). With 4,096, LoRA on minilm took 5.0 GB.
TOKENS_AT_ONCE = 2048


class DocumentHead(Head):
    """Vectors (N', C) of chunks and the document (N',) of each -> logits (B, outputs) in float32."""

    def __init__(
        self,
        pool: Pool,
        width: int,
        outputs: int,
        model: str,
        dropout: float,
        last: OrderedCuts | None = None,
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

    def start_at(self, logits: Tensor) -> None:
        start_at(self.linear, self.cuts, logits)

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        assert batch.owner is not None
        vectors = batch.pooled if batch.pooled is not None else self._vectors(net, batch)
        return self.classify(vectors, batch.owner, batch.count)

    def _vectors(self, net: Encoder, batch: Batch) -> Tensor:
        """(N', C) of chunks. In training, groups of chunks are gradient-checkpointed (as in GradCache, Gao et
        al. 2021): their activations are computed again in the backward pass.
        """

        def encoded(part: Batch) -> Tensor:
            trim_heap()
            return pooled(net.encode(part), part.mask, self.pool)

        tokens = TOKENS_AT_ONCE * (1 if batch.ids.device.type == "cpu" else 8)
        parts = batch.split(max(1, tokens // batch.ids.shape[1]))
        if not torch.is_grad_enabled():
            return torch.cat([encoded(part) for part in parts])
        return torch.cat([run_again(encoded, part) for part in parts])

    def classify(self, vectors: Tensor, owner: Tensor, count: int) -> Tensor:
        with torch.autocast(vectors.device.type, enabled=False):
            packed, mask = by_document(self.norm(vectors.float()), owner, count)
            found: Tensor = self.linear(self.dropout(self.mix(packed, mask)))
            return found if self.cuts is None else self.cuts(found)


def by_document(vectors: Tensor, owner: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(N', C) in the order of documents -> (B, M, C) padded, and (B, M) True where there is a chunk."""
    sizes = torch.bincount(owner, minlength=count)
    position = torch.arange(len(owner), device=owner.device) - (sizes.cumsum(0) - sizes)[owner]  # (N',)
    longest = int(sizes.max())
    packed = vectors.new_zeros(count, longest, vectors.shape[1]).index_put((owner, position), vectors)
    mask = torch.zeros(count, longest, dtype=torch.bool, device=owner.device)
    mask[owner, position] = True
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
    """Gated attention pooling of projected vectors (Ilse, Tomczak & Welling 2018, "Attention-based deep
    multiple instance learning", equation 9).
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
        scores = self.question(torch.tanh(self.key(found)) * torch.sigmoid(self.gate(found)))[..., 0]
        weights = scores.masked_fill(~mask, -torch.inf).softmax(dim=1)  # (B, M)
        return torch.einsum("bmc,bm->bc", found, weights)


class Mlp(nn.Module):
    """Each vector through two layers; mean and maximum over chunks, concatenated."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = 2 * HIDDEN
        self.layers = nn.Sequential(nn.Linear(width, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        found = self.layers(vectors)
        highest = found.masked_fill(~mask[..., None], -torch.inf).max(dim=1).values
        return torch.cat([_mean(found, mask), highest], dim=1)


class BiLstm(nn.Module):
    """A bidirectional LSTM over the chunks in order; maximum over steps."""

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
    """Two transformer layers over the chunks, with sinusoidal positions; mean over chunks."""

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
    """(length, width) sinusoidal positions, Vaswani et al. 2017, 3.5."""
    position = torch.arange(length)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    return torch.stack([torch.sin(position * rate), torch.cos(position * rate)], dim=-1).reshape(
        length, width
    )


MIXERS: dict[str, type[Mean | Attention | Mlp | BiLstm | Transformer]] = {
    "mean": Mean,
    "attention": Attention,
    "mlp": Mlp,
    "bilstm": BiLstm,
    "transformer": Transformer,
}
