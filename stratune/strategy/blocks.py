"""Which blocks a technique reaches: all, or the top k, so that what is below can be computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratune.errors import ConfigError, UnsupportedError

if TYPE_CHECKING:
    from torch import nn

    from stratune.backbone.load import Backbone


def check_positive(**options: int | None) -> None:
    for name, value in options.items():
        if value is not None and value < 1:
            raise ConfigError(f"{value} is below 1", key=name)


def top_blocks(backbone: Backbone, last: int | None, technique: str) -> list[nn.Module]:
    """The top `last` blocks, bottom first; None: every block.

    Raises UnsupportedError where there are not so many, or where all of them are one set of weights.
    """
    family, blocks = backbone.family, backbone.blocks
    if last is None:
        return blocks
    if family.shared_blocks:
        why = f"{family.name} runs one set of weights as every block: the last {last} cannot be trained alone"
        raise UnsupportedError(technique, backbone.id, f"{why}; use probe, lora or full")
    if last > len(blocks):
        raise UnsupportedError(technique, backbone.id, f"the top {last}, but it has {len(blocks)} blocks")
    return blocks[-last:]


def norms(block: nn.Module) -> dict[str, nn.Module]:
    """The layer norms of a block (LayerNorm, RMSNorm and kin) by their path in it."""
    return {name: module for name, module in block.named_modules() if "Norm" in type(module).__name__}
