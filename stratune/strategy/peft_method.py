"""`peft:<method>`: any other method that peft has, with peft's own options."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stratune.errors import ConfigError, UnsupportedError, choices
from stratune.strategy.adapters import Targets, attach, linear_names
from stratune.strategy.blocks import check_positive, norms, top_blocks
from stratune.strategy.registry import register
from stratune.train.settings import Recipe

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.net.net import Net

# Ours are the same idea, made to fit every family and both readouts.
OURS = {
    **{"prefix_tuning": "prefix", "prompt_tuning": "soft_prompt", "p_tuning": "p_tuning"},
    **{"lora": "lora", "ia3": "ia3"},
}
# What needs something that a classifier does not have (a router, a second task, a first model) or, like
# AdaLoRA, a call from the training loop.
ELSEWHERE = (
    *("xlora", "poly", "adaption_prompt", "multitask_prompt_tuning", "cpt", "cartridge"),
    *("trainable_tokens", "shadow", "supertuning", "adalora"),
)
FILLED_IN = (
    *("peft_type", "task_type", "inference_mode", "base_model_name_or_path", "target_modules"),
    *("fan_in_fan_out", "auto_mapping", "peft_version", "revision"),
)


@functools.cache
def methods() -> dict[str, type]:
    """peft's methods by name that fit a classifier, with their classes of options."""
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    known = {str(kind.value).lower(): cls for kind, cls in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
    return {name: cls for name, cls in known.items() if name not in (*OURS, *ELSEWHERE)}


@register("peft", preset="peft:<method>", recipe=Recipe(learning_rate=1e-3))
@dataclass(frozen=True)
class PeftMethod:
    """Any other method of peft's, by its name and with its own options: `peft:vera`, `peft:oft`, ..."""

    method: str = "vera"
    targets: Targets = "all"  # as lora's (`ln_tuning` takes the layer norms)
    last: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # peft's own

    def __post_init__(self) -> None:
        if self.method in OURS:
            raise ConfigError(f"{self.method} is the strategy `{OURS[self.method]}` here", key="peft")
        if self.method not in methods():
            raise ConfigError(choices(self.method, methods()), key="peft")
        check_positive(last=self.last)
        known = [f.name for f in dataclasses.fields(methods()[self.method]) if f.name not in FILLED_IN]
        for name in self.options:
            if name not in known:
                raise ConfigError(choices(name, known), key=f"peft:{self.method}")

    @property
    def name(self) -> str:
        return f"peft:{self.method}"

    def adapt(self, net: Net) -> None:
        cls = methods()[self.method]
        filled: dict[str, Any] = {
            "task_type": "FEATURE_EXTRACTION",
            "target_modules": self._places(net.backbone),
        }
        if "fan_in_fan_out" in {f.name for f in dataclasses.fields(cls)}:
            filled["fan_in_fan_out"] = net.backbone.family.transposed_linears
        try:
            attach(net, cls(**filled, **self.options))
        except (TypeError, ValueError, NotImplementedError) as error:  # what peft itself finds wrong
            raise UnsupportedError(self.name, net.backbone.id, str(error).splitlines()[0]) from error

    def _places(self, backbone: Backbone) -> list[str]:
        if self.method != "ln_tuning":
            return linear_names(backbone, self.targets, self.last, self.name)
        module_names = {id(module): name for name, module in backbone.model.named_modules()}
        blocks = top_blocks(backbone, self.last, self.name)
        return [module_names[id(norm)] for block in blocks for norm in norms(block).values()]
