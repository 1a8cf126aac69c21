"""What peft's methods have in common here: where they go, in the names of the family map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stratune.errors import ConfigError, UnsupportedError, choices
from stratune.strategy.blocks import top_blocks

if TYPE_CHECKING:
    from peft import PeftConfig

    from stratune.backbone.load import Backbone
    from stratune.net.net import Net

GROUPS = ("all", "attention", "feed_forward")
Targets = str | Sequence[str]


def attach(net: Net, config: PeftConfig) -> None:
    """Wrap the backbone as peft's method asks."""
    from peft import get_peft_model

    from stratune.model.net_files import peft_unwarned
    from stratune.net.low_rank import fuse

    with peft_unwarned():
        net.wrap(lambda model: get_peft_model(model, config))
    fuse(net.model)


def linear_names(
    backbone: Backbone, targets: Targets, last: int | None = None, technique: str = "lora"
) -> list[str]:
    """Full module names of the linears that `targets` means, in every block or the top `last`.

    Raises ConfigError on an unknown role, UnsupportedError on blocks or linears there are not.
    """
    family = backbone.family
    groups = {
        "all": tuple(family.linears),
        "attention": family.attention,
        "feed_forward": family.feed_forward,
    }
    wanted = [targets] if isinstance(targets, str) else list(targets)
    for name in wanted:
        if name not in groups and name not in family.linears:
            raise ConfigError(choices(name, [*GROUPS, *family.linears]), key="targets")
    roles = {role for name in wanted for role in groups.get(name, (name,))}
    if family.mixture:  # peft takes other names than those of attention for names of experts
        roles -= set(family.feed_forward)
    names = {id(module): name for name, module in backbone.model.named_modules()}
    found = [
        names[id(block.get_submodule(path))]
        for block in top_blocks(backbone, last, technique)
        for role, path in backbone.linears_of(block).items()
        if role in roles
    ]
    if not found:
        raise UnsupportedError(
            technique, backbone.id, f"{family.name} has no such linear layers in its blocks"
        )
    return found
