"""Modules of prefix tuning and soft prompts: trained vectors in the place of virtual tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from stratune.backbone.inputs import model_inputs, taken

if TYPE_CHECKING:
    from transformers.modeling_outputs import BaseModelOutput

    from stratune.backbone.family import Family
    from stratune.backbone.load import Backbone


class LearnedPrefix(nn.Module):
    """Trained keys and values (G, n, D) of one block."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.keys, self.values = nn.Parameter(keys.contiguous()), nn.Parameter(values.contiguous())

    @property
    def length(self) -> int:
        return self.keys.shape[1]

    def forward(self) -> tuple[Tensor, Tensor]:
        return self.keys, self.values


class PrefixEncoder(nn.Module):
    """Li & Liang (2021), 4.3: an MLP computes the keys and values of all blocks from one small table."""

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
    """One block's keys and values from a PrefixEncoder.

    Every block holds the whole encoder, so the lowest block with a prefix counts as trainable.
    """

    def __init__(self, encoder: PrefixEncoder, index: int) -> None:
        super().__init__()
        self.encoder: PrefixEncoder | None = encoder
        self.index, self.length = index, encoder.length
        self.made: tuple[Tensor, Tensor] | None = None  # by `fold`

    def forward(self) -> tuple[Tensor, Tensor]:
        if self.made is not None:
            return self.made
        assert self.encoder is not None
        return self.encoder(self.index)  # type: ignore[no-any-return]

    def fold(self) -> None:
        """Keys and values become numbers of this block, and the encoder goes: for an exported graph."""
        self.made = cast("tuple[Tensor, Tensor]", tuple(one.detach().contiguous() for one in self()))
        self.encoder = None


class Prompt(nn.Module):
    """Soft prompt: n vectors (n, E) in the place of token embeddings, directly or through an encoder."""

    def __init__(self, start: Tensor, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.vectors = nn.Parameter(start)
        self.encoder = encoder

    @property
    def length(self) -> int:
        return len(self.vectors)

    def forward(self) -> Tensor:
        return self.vectors if self.encoder is None else self.encoder(self.vectors)

    def fold(self) -> None:
        """The encoder's vectors become the prompt's own: for an exported graph."""
        self.vectors, self.encoder = nn.Parameter(self().detach()), None


class VirtualTokens(nn.Module):
    """A model with n virtual tokens in front of each text; hidden states (B, T, C) are of the text only."""

    def __init__(self, model: nn.Module, prompt: Prompt, family: Family) -> None:
        super().__init__()
        self.model, self.prompt, self.family = model, prompt, family

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None, **inputs: Any
    ) -> BaseModelOutput:
        """ids (B, T); mask (B, T), or (B, 1, T, T) with `position_ids` (B, T), for prompts."""
        from transformers.modeling_outputs import BaseModelOutput

        embed: Any = self.model.get_input_embeddings
        words = embed()(input_ids)  # (B, T, E)
        vectors = self.prompt().to(words.dtype).expand(words.shape[0], -1, -1)  # (B, n, E)
        length = self.prompt.length
        if attention_mask.dim() == 4:
            own = torch.arange(length, device=words.device).expand(len(words), -1)
            inputs["position_ids"] = torch.cat([own, inputs["position_ids"] + length], dim=1)
            inputs["attention_mask"] = after_virtual(attention_mask, length)
            states = self.model(inputs_embeds=torch.cat([vectors, words], dim=1), **inputs).last_hidden_state
            return BaseModelOutput(last_hidden_state=states[:, length:])
        order = PromptOrder.of(attention_mask, length)
        virtual = attention_mask.new_zeros(words.shape[0], length)
        types = None if token_type_ids is None else order.joined(virtual, token_type_ids)
        given = model_inputs(self.family, order.joined(virtual + 1, attention_mask), types)
        states = self.model(inputs_embeds=order.joined(vectors, words), **given).last_hidden_state
        return BaseModelOutput(last_hidden_state=order.text(states))


@dataclass(frozen=True)
class PromptOrder:
    """Puts n virtual tokens right before each row's first token, so that the padding side changes nothing."""

    order: Tensor  # (B, n + T) indices into [prompt, text]
    back: Tensor  # (B, T) where each position of the text went

    @classmethod
    def of(cls, mask: Tensor, count: int) -> PromptOrder:
        """`mask` (B, T) has ones where there is a token."""
        first = mask.argmax(dim=1, keepdim=True)  # (B, 1)
        at = torch.arange(count + mask.shape[1], device=mask.device)[None]
        order = torch.where(at < first, at + count, torch.where(at < first + count, at - first, at))
        own = at[:, : mask.shape[1]]
        return cls(order, torch.where(own < first, own, own + count))

    def joined(self, prompt: Tensor, text: Tensor) -> Tensor:
        """(B, n[, C]), (B, T[, C]) -> (B, n + T[, C])"""
        return taken(torch.cat([prompt, text], dim=1), self.order)

    def text(self, joined: Tensor) -> Tensor:
        """(B, n + T, C) -> (B, T, C)"""
        return taken(joined, self.back)


class LstmEncoder(nn.Module):
    """P-tuning (Liu et al. 2021): a bidirectional LSTM of two layers and a small MLP, (n, E) -> (n, E)."""

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
    """(count,) ids drawn from the vocabulary without special tokens, by torch's global generator."""
    special = set(backbone.tokenizer.all_special_ids)
    rows = backbone.model.get_input_embeddings().weight.shape[0]
    words = torch.tensor([i for i in range(min(rows, len(backbone.tokenizer))) if i not in special])
    return words[torch.randint(len(words), (count,))]


def after_virtual(mask: Tensor, count: int) -> Tensor:
    """(B, 1, T, T) -> (B, 1, n + T, n + T): all attend to n tokens in front, and those not to the text."""
    rows, length = len(mask), mask.shape[-1]
    wide = mask.new_ones(rows, 1, count + length, count + length)
    wide[:, :, :count] = mask.new_ones(count, count + length).tril()
    wide[:, :, count:, count:] = mask
    return wide
