"""(IA)3: vectors scale keys, values and the inside of the feed-forward, three a block (Liu et al., 2022).

They start at one, so step 0 is the pretrained model. Where one matrix makes queries, keys and values (GPT-2,
ModernBERT), all of its output is scaled, as peft does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stratune.strategy.adapters import attach, linear_names
from stratune.strategy.blocks import check_positive
from stratune.strategy.registry import register
from stratune.train.settings import Recipe

if TYPE_CHECKING:
    from stratune.net.net import Net


@register("ia3", recipe=Recipe(learning_rate=1e-2, head_learning_rate=3e-3))
@dataclass(frozen=True)
class IA3:
    """Trains vectors that scale keys, values and the feed-forward, and the head ((IA)3; Liu et al., 2022)."""

    last: int | None = None  # only the top blocks, so many; None: all

    def __post_init__(self) -> None:
        check_positive(last=self.last)

    def adapt(self, net: Net) -> None:
        from peft import IA3Config

        family = net.backbone.family
        scaled = [role for role in ("qkv", "k", "v", "kv") if role in family.linears]
        inside = linear_names(net.backbone, "down", self.last, "ia3") if "down" in family.linears else []
        outside = linear_names(net.backbone, scaled, self.last, "ia3") if scaled or not inside else []
        config = IA3Config(
            target_modules=[*outside, *inside],
            feedforward_modules=inside,
            fan_in_fan_out=family.transposed_linears,
            task_type="FEATURE_EXTRACTION",
        )
        attach(net, config)
