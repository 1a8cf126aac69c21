"""Heads of language modelling: the mean loss of a text's tokens, of those hidden or of each after the others.

They train a backbone on texts without labels (fitting/adapting.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from stratune.backbone.calls import make_interceptable
from stratune.net.cpu_kernels import run_again
from stratune.net.head import Encoder, Head
from stratune.net.vocabulary import vocabulary_logits

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.tokens.batches import Batch

HIDDEN = 0.15  # share of the tokens that are asked for (Devlin et al. 2019, section 3.1)
AS_MASK, AS_OTHER = 0.8, 0.1  # of these: shown as the mask token, as any token, and the rest as they are
AT_ONCE = 512  # tokens whose logits over the vocabulary are in memory


class TokenHead(Head):
    """(B, 1): the mean loss over the tokens of a row that are asked for; 0 where there are none."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        language_model = backbone.language_model
        assert language_model is not None
        self._language_model = (language_model,)  # in a tuple: its body is the net's backbone
        for name, module in language_model.named_children():
            if module is not language_model.base_model:
                self.add_module(name, module)
        self.requires_grad_(True)
        make_interceptable(language_model.base_model)

    def _loss(self, states: Tensor, wanted: Tensor, owner: Tensor, rows: int) -> Tensor:
        """Hidden states (M, C), the tokens that stand there (M,), and which of B `rows` each is of."""
        pieces = zip(torch.split(states, AT_ONCE), torch.split(wanted, AT_ONCE), strict=True)
        losses = torch.cat([self._of_piece(*piece) for piece in pieces])
        counts = torch.bincount(owner, minlength=rows).clamp(min=1)
        return (losses.new_zeros(rows).index_add(0, owner, losses) / counts)[:, None]

    def _of_piece(self, states: Tensor, wanted: Tensor) -> Tensor:
        """Logits are not kept for the backward pass: a vocabulary is a hundred times as wide as a state."""
        if not torch.is_grad_enabled():
            return self._cross_entropy(states, wanted)
        return run_again(self._cross_entropy, states, wanted)

    def _cross_entropy(self, states: Tensor, wanted: Tensor) -> Tensor:
        with torch.autocast(states.device.type, enabled=False):
            logits = vocabulary_logits(self._language_model[0], states.float()[None])[0]
            return F.cross_entropy(logits.float(), wanted, reduction="none")


class HiddenTokens(TokenHead):
    """Of an encoder: some tokens are hidden, and it is asked what they were.

    In training others each time; in evaluation always the same ones of a batch.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__(backbone)
        tokenizer = backbone.tokenizer
        self.mask_id, self.vocabulary = int(tokenizer.mask_token_id), len(tokenizer)
        self.special = tuple(int(one) for one in tokenizer.all_special_ids)

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        generator = None if self.training else torch.Generator().manual_seed(int(batch.ids.sum()))
        draws, ways = (
            torch.rand(batch.ids.shape, generator=generator).to(batch.ids.device) for _ in range(2)
        )
        others = torch.randint(self.vocabulary, batch.ids.shape, generator=generator).to(batch.ids)
        open_ = (batch.mask == 1) & ~torch.isin(batch.ids, batch.ids.new_tensor(self.special))
        draws = torch.where(open_, draws, 2.0)
        lowest = draws.amin(dim=1, keepdim=True)  # one token of each text is always asked for
        asked = open_ & ((draws < HIDDEN) | (draws == lowest))
        shown = torch.where(asked & (ways < AS_MASK), self.mask_id, batch.ids)
        shown = torch.where(asked & (ways >= 1 - AS_OTHER), others, shown)
        states = net.encode(replace(batch, ids=shown))
        return self._loss(states[asked], batch.ids[asked], asked.nonzero()[:, 0], len(batch))


class NextTokens(TokenHead):
    """Of a decoder: each token after those before it."""

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        states = net.encode(batch)[:, :-1]
        asked = (batch.mask[:, :-1] * batch.mask[:, 1:]) == 1
        return self._loss(states[asked], batch.ids[:, 1:][asked], asked.nonzero()[:, 0], len(batch))
