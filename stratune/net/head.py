"""Base class of heads, and what a head may call on its net: heads call the net, not the net its heads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

from torch import Tensor, nn

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.tokens.batches import Batch


class Encoder(Protocol):
    """The methods of a net that heads call."""

    def encode(self, batch: Batch) -> Tensor:
        """Token ids (B, T) -> last hidden states (B, T, C) of the text."""
        ...

    def continued(self, ids: Tensor, seen: Tensor, positions: Tensor) -> Tensor:
        """Ids (B, T), which position attends to which (B, 1, T, T), positions (B, T) -> (B, T, C)."""
        ...

    def with_shared_prefix(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Ids and mask (B, T) of prompts, with the shared prefix unless its keys and values are computed."""
        ...


class Head(nn.Module):
    """`head(net, batch) -> logits (B, outputs)` in float32.

    `pool`: how hidden states become the one vector that the head reads. None: it reads more than that, so the
    output of frozen blocks is not cached. `by_document`: rows are documents, predicted from their chunks.
    """

    pool: Pool | None = None
    by_document: bool = False
    reads_features: ClassVar[bool] = False  # numbers of each text beside its vector (`Batch.features`)
    reads_apart: ClassVar[bool] = False  # the two texts of a pair, each a sequence of its own
    is_linear: ClassVar[bool] = False  # a LinearHead, which can be solved instead of trained

    def start_at(self, logits: Tensor) -> None:
        """Before training: answer (outputs,) `logits` whatever the text, where the head can."""

    def make_room(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Before tensors of these shapes are read from a file: heads that hold rows have as many as they were
        given. Raises ValueError for shapes that are not of such a head.
        """

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        raise NotImplementedError

    def before_training(self, net: Encoder, batches: Iterable[Batch]) -> None:
        """What the head has to know of the training rows: batches of some. Most heads need nothing."""

    def after_training(self) -> None:
        """The net holds its best step: what only training needed can go."""
