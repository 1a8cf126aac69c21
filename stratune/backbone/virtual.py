"""The modules of prefixes and prompts: learned vectors that stand for tokens nobody wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone


class LearnedPrefix(nn.Module):
    """Keys and values (G, n, D) of one block."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.keys, self.values = nn.Parameter(keys.contiguous()), nn.Parameter(values.contiguous())

    @property
    def length(self) -> int:
        return self.keys.shape[1]

    def forward(self) -> tuple[Tensor, Tensor]:
        return self.keys, self.values


class PrefixEncoder(nn.Module):
    """Li & Liang (2021), 4.3: an MLP makes the keys and values of all blocks out of one small table."""

    def __init__(self, blocks: int, shape: tuple[int, int, int], width: int, hidden: int) -> None:
        """`shape` is (n, G, D)."""
        super().__init__()
        self.length, self.groups, self.head = shape
        self.table = nn.Embedding(self.length, width)
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.ModuleList(nn.Linear(hidden, 2 * self.groups * self.head) for _ in range(blocks))

    def forward(self, index: int) -> tuple[Tensor, Tensor]:
        made: Tensor = self.outer[index](torch.tanh(self.inner(self.table.weight)))  # (n, 2 G D)
        keys, values = made.view(self.length, 2, self.groups, self.head).permute(1, 2, 0, 3)
        return keys, values


class SharedPrefix(nn.Module):
    """One block's share of an encoder, which each block holds: so it counts to the lowest that learns."""

    def __init__(self, encoder: PrefixEncoder, index: int) -> None:
        super().__init__()
        self.encoder, self.index, self.length = encoder, index, encoder.length

    def forward(self) -> tuple[Tensor, Tensor]:
        return self.encoder(self.index)  # type: ignore[no-any-return]


class Prompt(nn.Module):
    """n vectors (n, E) in the place of token embeddings, straight or through an encoder."""

    def __init__(self, start: Tensor, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.vectors = nn.Parameter(start)
        self.encoder = encoder

    @property
    def length(self) -> int:
        return len(self.vectors)

    def forward(self) -> Tensor:
        return self.vectors if self.encoder is None else self.encoder(self.vectors)


@dataclass(frozen=True)
class PromptOrder:
    """Where a prompt of n goes: right before each row's first token, so that padding side changes nothing."""

    places: Tensor  # (B, n + T) indices into [prompt, text]
    back: Tensor  # (B, T) where each place of the text went

    @classmethod
    def of(cls, mask: Tensor, count: int) -> PromptOrder:
        """`mask` (B, T) has ones where there is a token."""
        first = mask.argmax(dim=1, keepdim=True)  # (B, 1)
        at = torch.arange(count + mask.shape[1], device=mask.device)[None]
        places = torch.where(at < first, at + count, torch.where(at < first + count, at - first, at))
        own = at[:, : mask.shape[1]]
        return cls(places, torch.where(own < first, own, own + count))

    def joined(self, prompt: Tensor, text: Tensor) -> Tensor:
        """(B, n[, C]), (B, T[, C]) -> (B, n + T[, C])"""
        return _taken(torch.cat([prompt, text], dim=1), self.places)

    def text(self, joined: Tensor) -> Tensor:
        """(B, n + T, C) -> (B, T, C)"""
        return _taken(joined, self.back)


def _taken(rows: Tensor, places: Tensor) -> Tensor:
    if rows.dim() == 2:
        return rows.gather(1, places)
    return rows.gather(1, places[..., None].expand(-1, -1, rows.shape[2]))


class LstmEncoder(nn.Module):
    """A bidirectional LSTM of two layers and a small MLP (Liu et al., 2021): (n, E) -> (n, E)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, hidden, num_layers=2, bidirectional=True, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(2 * hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, width))

    def forward(self, vectors: Tensor) -> Tensor:
        return self.mlp(self.lstm(vectors[None])[0][0])  # type: ignore[no-any-return]


def mlp_encoder(width: int, hidden: int) -> nn.Module:
    layers = [
        nn.Linear(width, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, width),
    ]
    return nn.Sequential(*layers)


def random_words(backbone: Backbone, count: int) -> Tensor:
    """(count,) ids drawn from the vocabulary, special tokens left out; from torch's global generator."""
    special = set(backbone.tokenizer.all_special_ids)
    rows = backbone.model.get_input_embeddings().weight.shape[0]
    words = torch.tensor([i for i in range(min(rows, len(backbone.tokenizer))) if i not in special])
    return words[torch.randint(len(words), (count,))]


def after_virtual(seen: Tensor, count: int) -> Tensor:
    """(B, 1, T, T) -> (B, 1, n + T, n + T): n places in front that all see, and that see no text."""
    rows, length = len(seen), seen.shape[-1]
    wide = seen.new_ones(rows, 1, count + length, count + length)
    wide[:, :, :count] = seen.new_ones(count, count + length).tril()
    wide[:, :, count:, count:] = seen
    return wide
