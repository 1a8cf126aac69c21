"""Prefix tuning: keys and values trained directly, in front of every block's own (Li & Liang, 2021).

Without the MLP it is P-tuning v2 (Liu et al., 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from stratune.errors import ConfigError, UnsupportedError
from stratune.strategy.blocks import check_positive, same_states, short_text, top_blocks
from stratune.strategy.registry import register
from stratune.train.settings import Recipe
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from torch import Tensor, nn

    from stratune.backbone.load import Backbone
    from stratune.net.net import Net


Shape = tuple[int, int, int]  # heads that keys and values have, numbers of a key and of a value


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
        from stratune.backbone.virtual import LearnedPrefix, PrefixEncoder, SharedPrefix

        backbone = net.backbone
        modules, shapes = attentions(net, top_blocks(backbone, self.last, "prefix"))
        if self.reparametrise:
            shape = (self.length, *_same_shape(shapes, backbone))
            encoder = PrefixEncoder(len(modules), shape, backbone.width, self.hidden or backbone.width)
            prefixes: list[Any] = [SharedPrefix(encoder, i) for i in range(len(modules))]
        else:
            prefixes = [LearnedPrefix(*start) for start in self._starts(net, modules, shapes)]
        net.shares_prefix = False  # what is computed of a prompt depends on what is trained
        for module, prefix in zip(modules, prefixes, strict=True):
            module.prefix = prefix

    def _starts(self, net: Net, modules: list[nn.Module], shapes: list[Shape]) -> list[tuple[Tensor, Tensor]]:
        """Of each block, keys and values (G, n, D) to start from."""
        import torch

        if self.start == "words":
            return keys_and_values(net, modules, self.length)
        return [
            (0.02 * torch.randn(groups, self.length, key), 0.02 * torch.randn(groups, self.length, value))
            for groups, key, value in shapes
        ]


def attentions(net: Net, blocks: list[nn.Module]) -> tuple[list[nn.Module], list[Shape]]:
    """The modules of the blocks that call the attention function, and the shapes of their keys and values.

    From here on they call ours. Raises UnsupportedError where none does, or where ours gives other numbers.
    """
    import torch

    from stratune.backbone.attention import recording, use_prefixes

    backbone, text = net.backbone, short_text(net.backbone)
    own = backbone.model.config._attn_implementation
    with torch.no_grad():
        plain = net.eval().encode(text)
        use_prefixes(backbone)
        with recording() as found:
            ours = net.encode(text)
    called = [attention for block in blocks if (attention := attention_of(block, backbone)) is not None]
    modules = [module for module in called if id(module) in found]
    if not modules or not same_states(ours, plain):
        backbone.model.set_attn_implementation(own)
        why = f"{backbone.family.name} computes its attention itself; use lora, houlsby or soft_prompt"
        raise UnsupportedError("prefix", backbone.id, why)
    made = [found[id(module)] for module in modules]
    return modules, [(keys.shape[1], keys.shape[3], values.shape[3]) for keys, values in made]


def attention_of(block: nn.Module, backbone: Backbone) -> nn.Module | None:
    """The module of a block that calls the attention function: where its query projection lives."""
    linears = backbone.linears_of(block)
    path = linears.get("q") or linears.get("qkv")
    return None if path is None else block.get_submodule(path.rpartition(".")[0])


def _same_shape(shapes: list[Shape], backbone: Backbone) -> tuple[int, int]:
    """(G, D) of all keys and values."""
    groups, width, _ = shapes[0]
    if set(shapes) != {(groups, width, width)}:
        why = "its keys and values are of several shapes; leave `reparametrise` out"
        raise UnsupportedError("prefix", backbone.id, why)
    return groups, width


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
