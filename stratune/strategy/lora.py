"""LoRA: W x + (alpha / rank) B A x (Hu et al., 2021). B starts at zero, so step 0 is the pretrained model.

peft does it; this file only says where, in the names of the family map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stratune.errors import ConfigError, choices
from stratune.quiet import peft_unwarned
from stratune.strategy.base import Recipe, register

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.net import Net

GROUPS = ("all", "attention", "feed_forward")


@register("lora", recipe=Recipe(learning_rate=1e-3))
@dataclass(frozen=True)
class Lora:
    """Low-rank updates of chosen linear layers learn, and the head (LoRA; Hu et al., 2021)."""

    rank: int = 16
    alpha: float | None = None  # None: twice the rank
    dropout: float = 0.05
    targets: str | Sequence[str] = "all"  # all, attention, feed_forward, or roles: q k v o qkv up down gate
    dora: bool = False  # weight-decomposed (Liu et al., 2024)
    rslora: bool = False  # alpha / sqrt(rank) instead of alpha / rank (Kalajdzievski, 2023)

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ConfigError(f"{self.rank} is below 1", key="rank")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"{self.dropout} is not from 0 up to 1", key="dropout")

    def adapt(self, net: Net) -> None:
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha if self.alpha is not None else 2 * self.rank,
            lora_dropout=self.dropout,
            target_modules=linear_names(net.backbone, self.targets),
            use_dora=self.dora,
            use_rslora=self.rslora,
            fan_in_fan_out=net.backbone.family.transposed_linears,
            task_type="FEATURE_EXTRACTION",
        )
        with peft_unwarned():
            net.model = get_peft_model(net.backbone.model, config)


def linear_names(backbone: Backbone, targets: str | Sequence[str]) -> list[str]:
    """Full module names of the linears in every block that `targets` means. Raises ConfigError on an
    unknown role.
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
    module_names = {id(module): name for name, module in backbone.model.named_modules()}
    return [
        f"{module_names[id(block)]}.{path}"
        for block in backbone.blocks
        for role, path in family.linears.items()
        if role in roles
    ]
