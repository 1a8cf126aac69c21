"""Bottleneck adapters: y + up(gelu(down(y))) on what a sub-layer adds to the residual stream.

After attention and after the feed-forward (Houlsby et al., 2019), or after the feed-forward only (Pfeiffer et
al., 2020). peft knows a closed list of methods, so these are tensors of our own (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from stratune.backbone.family import ATTENTION
from stratune.errors import UnsupportedError
from stratune.strategy.blocks import check_positive, norms, top_blocks, used
from stratune.strategy.registry import register
from stratune.train.settings import Recipe
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from torch import nn

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

        backbone = net.backbone
        blocks = top_blocks(backbone, self.last, "houlsby")
        places = [places_in(block, backbone.linears_of(block), self.after) for block in blocks]
        if not any(places):
            why = f"{backbone.family.name} has no linear layer there whose output could be adapted"
            raise UnsupportedError("houlsby", backbone.id, why)
        # Looked up by name, before names change.
        normalising = {
            id(block): used(backbone, (p for norm in norms(block).values() for p in norm.parameters()))
            for block in blocks
        }
        for block, paths in zip(blocks, places, strict=True):
            for path in paths:
                layer = block.get_submodule(path)
                width = int(getattr(layer, "out_features", backbone.width))
                adapted: Any = Bottleneck(layer, width, max(1, width // self.reduction))
                block.set_submodule(path, adapted)
            if self.layer_norms:
                for parameter in normalising[id(block)]:
                    parameter.requires_grad_(True)


def places_in(block: nn.Module, linears: Mapping[str, str], after: str) -> list[str]:
    """Paths in a block of the modules whose output is added to the residual stream.

    A mixture of experts is one module: its experts are no linear layers, and each token passes a few of them.
    """
    from stratune.backbone.derive import is_experts

    mixture = [
        name
        for name, child in block.named_children()
        if any(map(is_experts, child.modules()))
        and not any(path.startswith(f"{name}.") for role, path in linears.items() if role in ATTENTION)
    ]
    found = {role: [linears[role]] for role in PLACES[after] if role in linears}
    if mixture:
        found["down"] = mixture
    return [path for paths in found.values() for path in paths]
