"""Bottleneck adapters: y + up(gelu(down(y))) on what a sub-layer adds to the residual stream.

After attention and after the feed-forward (Houlsby et al., 2019), or after the feed-forward only (Pfeiffer et
al., 2020). peft knows a closed list of methods, so these are tensors of our own (docs/log.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from stratune.strategy.blocks import check_positive, norms, top_blocks
from stratune.strategy.registry import register
from stratune.train.settings import Recipe
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from stratune.net.net import Net

PLACES = {"both": ("o", "down"), "feed_forward": ("down",)}


@register("houlsby", recipe=Recipe(learning_rate=1e-3))
@dataclass(frozen=True)
class Houlsby:
    """Trains small bottlenecks after attention and feed-forward, and the head (Houlsby et al., 2019)."""

    space: ClassVar[Space] = {"reduction": Choice(4, 8, 16, 32)}

    reduction: int = 16  # the bottleneck has width / reduction numbers, 1 at least
    after: Literal["both", "feed_forward"] = "both"
    layer_norms: bool = True  # the layer norms of the same blocks are trained, too, as in the paper
    last: int | None = None  # only the top blocks, so many; None: all

    def __post_init__(self) -> None:
        check_positive(reduction=self.reduction, last=self.last)

    def adapt(self, net: Net) -> None:
        from stratune.backbone.bottleneck import Bottleneck

        width = net.backbone.width
        for block in top_blocks(net.backbone, self.last, "houlsby"):
            for role in PLACES[self.after]:
                path = net.backbone.family.linears[role]
                adapted: Any = Bottleneck(block.get_submodule(path), width, max(1, width // self.reduction))
                block.set_submodule(path, adapted)
            if self.layer_norms:
                for norm in norms(block).values():
                    norm.requires_grad_(True)
