"""Contrastive fine-tuning for few labels (SetFit; Tunstall et al., 2022, arXiv 2209.11055).

The encoder is trained on pairs of rows: vectors of rows with the same label shall have a cosine of 1, others
0. Then the head is solved on its vectors. The pairs are those of one micro-batch, so the rows go through the
one training loop; N rows of a step make N (N - 1) / 2 pairs (Khosla et al., 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stratune.strategy.blocks import check_positive, top_blocks, used
from stratune.strategy.nearest import check_vectors
from stratune.strategy.registry import register
from stratune.strategy.unfreeze import unfreeze
from stratune.train.settings import Recipe

if TYPE_CHECKING:
    from stratune.net.net import Net
    from stratune.train.solved import VectorRows


@register("contrastive", recipe=Recipe(learning_rate=1e-4, batch_size=16))
@dataclass(frozen=True)
class Contrastive:
    """Trains the encoder on pairs of rows by label, then solves the head (SetFit; Tunstall et al., 2022)."""

    # What counts in a loss of labels, or in the head while it is trained: there is neither
    not_tried: ClassVar[tuple[str, ...]] = ("label_smoothing", "head_learning_rate", "readout.dropout")

    last: int | None = None  # the top blocks that are trained; None: all, and the embeddings

    def __post_init__(self) -> None:
        check_positive(last=self.last)

    def adapt(self, net: Net) -> None:
        check_vectors(net, "contrastive")
        if self.last is None:
            unfreeze(used(net.backbone, net.backbone.model.parameters()))
        else:
            for block in top_blocks(net.backbone, self.last, "contrastive"):
                unfreeze(used(net.backbone, block.parameters()))
            if path := net.backbone.family.final_norm:
                unfreeze(used(net.backbone, net.backbone.model.get_submodule(path).parameters()))
        net.contrasts = True

    def solve(self, net: Net, rows: VectorRows) -> int:
        from stratune.train.linear import solve_linear

        return solve_linear(net, rows)
