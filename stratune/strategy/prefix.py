"""Prefix tuning: keys and values trained directly, in front of every block's own (Li & Liang, 2021).

Without the MLP it is P-tuning v2 (Liu et al., 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from stratune.errors import ConfigError, UnsupportedError
from stratune.strategy.blocks import check_positive, top_blocks
from stratune.strategy.registry import register
from stratune.train.settings import Recipe
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from torch import Tensor, nn

    from stratune.backbone.load import Backbone
    from stratune.net.net import Net


@register("prefix", recipe=Recipe(learning_rate=3e-2, head_learning_rate=3e-3))
@dataclass(frozen=True)
class Prefix:
    """Trains keys and values in front of every block's own, and the head (Li & Liang, 2021; P-tuning v2)."""

    space: ClassVar[Space] = {"length": Choice(5, 10, 20, 40)}

    length: int = 20  # virtual positions; they take none of the text's
    start: Literal["words", "random"] = "words"  # what the model makes of words, or small random numbers
    reparametrise: bool = False  # keys and values come out of a small MLP that is trained, as in Li & Liang
    hidden: int | None = None  # the MLP's width; None: the backbone's
    last: int | None = None  # only the top blocks, so many; None: all

    def __post_init__(self) -> None:
        check_positive(length=self.length, hidden=self.hidden, last=self.last)
        if self.hidden is not None and not self.reparametrise:
            raise ConfigError("is the width of what `reparametrise: true` puts in", key="hidden")

    def adapt(self, net: Net) -> None:
        from stratune.backbone.attention import use_prefixes
        from stratune.backbone.virtual import LearnedPrefix, PrefixEncoder, SharedPrefix

        backbone = net.backbone
        if not backbone.family.attention_by_name:
            why = f"{backbone.family.name} computes its attention itself; use lora, houlsby or soft_prompt"
            raise UnsupportedError("prefix", backbone.id, why)
        modules = [attention_of(block, backbone) for block in top_blocks(backbone, self.last, "prefix")]
        if self.reparametrise:
            shape = (self.length, *head_shape(backbone))
            encoder = PrefixEncoder(len(modules), shape, backbone.width, self.hidden or backbone.width)
            prefixes: list[Any] = [SharedPrefix(encoder, i) for i in range(len(modules))]
        else:
            prefixes = [LearnedPrefix(*start) for start in self._starts(net, modules)]
        use_prefixes(backbone)
        net.shares_prefix = False  # what is computed of a prompt depends on what is trained
        for module, prefix in zip(modules, prefixes, strict=True):
            module.prefix = prefix

    def _starts(self, net: Net, modules: list[nn.Module]) -> list[tuple[Tensor, Tensor]]:
        """Of each block, keys and values (G, n, D) to start from."""
        import torch

        if self.start == "words":
            return keys_and_values(net, modules, self.length)
        groups, width = head_shape(net.backbone)
        return [
            (0.02 * torch.randn(groups, self.length, width), 0.02 * torch.randn(groups, self.length, width))
            for _ in modules
        ]


def attention_of(block: nn.Module, backbone: Backbone) -> nn.Module:
    """The module of a block that calls the attention function: where its query projection lives."""
    linears = backbone.family.linears
    path = linears.get("q") or linears["qkv"]
    return block.get_submodule(path.rpartition(".")[0])


def head_shape(backbone: Backbone) -> tuple[int, int]:
    """(G, D): heads that keys and values have, and numbers of each."""
    config = backbone.model.config
    heads = int(config.num_attention_heads)
    groups = int(getattr(config, "num_key_value_heads", None) or heads)
    return groups, int(getattr(config, "head_dim", None) or backbone.width // heads)


def keys_and_values(net: Net, modules: list[nn.Module], count: int) -> list[tuple[Tensor, Tensor]]:
    """What the pretrained attention makes of `count` random words: (G, count, D) each, per module."""
    import torch

    from stratune.backbone.attention import recording, use_prefixes
    from stratune.backbone.virtual import random_words
    from stratune.tokens.batches import Batch

    use_prefixes(net.backbone)
    ids = random_words(net.backbone, count)[None]
    with recording() as found, torch.no_grad():
        net.eval().encode(Batch(ids, torch.ones_like(ids)))
    return [(found[id(module)][0][0].clone(), found[id(module)][1][0].clone()) for module in modules]
