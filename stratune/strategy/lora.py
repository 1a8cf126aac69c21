"""LoRA: W x + (alpha / rank) B A x (Hu et al., 2021). B starts at zero, so step 0 is the pretrained model.

peft does it; this file names the linear layers, by their roles in the family map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stratune.errors import ConfigError
from stratune.strategy.adapters import attach, linear_names
from stratune.strategy.blocks import check_positive
from stratune.strategy.registry import register
from stratune.train.settings import Recipe
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from stratune.net.net import Net


@register("lora", recipe=Recipe(learning_rate=1e-3))
@dataclass(frozen=True)
class Lora:
    """Trains low-rank updates of chosen linear layers, and the head (LoRA; Hu et al., 2021)."""

    space: ClassVar[Space] = {"rank": Choice(4, 8, 16, 32, 64), "dropout": Choice(0.0, 0.05, 0.1)}

    rank: int = 16
    alpha: float | None = None  # None: twice the rank
    dropout: float = 0.05
    targets: str | Sequence[str] = "all"  # all, attention, feed_forward, or roles: q k v o qkv up down gate
    last: int | None = None  # only the top blocks, so many; None: all
    dora: bool = False  # weight-decomposed (Liu et al., 2024)
    rslora: bool = False  # alpha / sqrt(rank) instead of alpha / rank (Kalajdzievski, 2023)

    def __post_init__(self) -> None:
        check_positive(rank=self.rank, last=self.last)
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"{self.dropout} is not from 0 up to 1", key="dropout")

    def adapt(self, net: Net) -> None:
        from peft import LoraConfig

        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha if self.alpha is not None else 2 * self.rank,
            lora_dropout=self.dropout,
            target_modules=linear_names(net.backbone, self.targets, self.last),
            use_dora=self.dora,
            use_rslora=self.rslora,
            fan_in_fan_out=net.backbone.family.transposed_linears,
            task_type="FEATURE_EXTRACTION",
        )
        attach(net, config)
