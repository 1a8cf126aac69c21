"""What a head is, and what it may ask of the net it reads from: heads call the net, not the net its heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torch import Tensor, nn

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch


class Encoder(Protocol):
    """A net, as its head sees it."""

    def encode(self, batch: Batch) -> Tensor:
        """Token ids (B, T) -> last hidden states (B, T, C) of the text."""
        ...

    def continued(self, ids: Tensor, seen: Tensor, positions: Tensor) -> Tensor:
        """Ids (B, T), which position attends to which (B, 1, T, T), positions (B, T) -> (B, T, C)."""
        ...

    def with_shared_prefix(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Ids and mask (B, T) of prompts, with the tokens that all of them begin with where needed."""
        ...


class Head(nn.Module):
    """`head(net, batch) -> logits (B, outputs)` in float32.

    `pool`: how a text's hidden states become the one vector that is all it reads; None: it reads more, and
    what frozen blocks compute is not kept. `by_document`: its rows are documents, answered from their chunks.
    """

    pool: Pool | None = None
    by_document: bool = False

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        raise NotImplementedError
