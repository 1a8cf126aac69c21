"""The techniques that add nothing: they choose which of the pretrained weights are trainable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stratune.errors import ConfigError, UnsupportedError
from stratune.strategy.blocks import top_blocks, used
from stratune.strategy.registry import register
from stratune.train.settings import Recipe
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from torch import nn

    from stratune.net.net import Net
    from stratune.train.solved import VectorRows


def unfreeze(parameters: Iterable[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.requires_grad_(True)


@register("none", preset="untuned")
@dataclass(frozen=True)
class Untuned:
    """Nothing is trained, the head is random: what the "baseline" rows of many papers are."""

    trains: ClassVar[bool] = False

    def adapt(self, net: Net) -> None:
        net.head.requires_grad_(False)


@register("head", preset="probe", recipe=Recipe(learning_rate=3e-3))
@dataclass(frozen=True)
class Probe:
    """The head alone, on vectors of the frozen backbone, which runs once per text (a linear probe)."""

    head_only: ClassVar[bool] = True

    # By L-BFGS, to the minimum (train/linear.py); false: trained in steps, as options of a training ask for
    solved: bool = True

    def adapt(self, net: Net) -> None:
        """Nothing to do: a net comes with its backbone frozen and its head learning."""

    def solve(self, net: Net, rows: VectorRows) -> int:
        from stratune.train.linear import solve_linear

        return solve_linear(net, rows)


@register("last", preset="partial", recipe=Recipe(learning_rate=3e-4))
@dataclass(frozen=True)
class Last:
    """Trains the top k blocks and the head; everything below is frozen and runs once per text."""

    space: ClassVar[Space] = {"k": Choice(1, 2, 3, 4)}

    k: int = 2  # blocks, counted from the top

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ConfigError(f"{self.k} is below 1 (to train the head alone, use `probe`)", key="k")

    def adapt(self, net: Net) -> None:
        family = net.backbone.family
        for block in top_blocks(net.backbone, self.k, "partial"):
            unfreeze(used(net.backbone, block.parameters()))
        if family.final_norm:
            unfreeze(used(net.backbone, net.backbone.model.get_submodule(family.final_norm).parameters()))


@register("biases", preset="bitfit", recipe=Recipe(learning_rate=1e-3))
@dataclass(frozen=True)
class BitFit:
    """Trains only the biases and the head (BitFit; Ben Zaken et al., 2022)."""

    def adapt(self, net: Net) -> None:
        biases = [p for name, p in net.backbone.model.named_parameters() if name.endswith("bias")]
        if not biases:
            raise UnsupportedError(
                "bitfit", net.backbone.id, f"{net.backbone.family.name} has no biases; use lora"
            )
        unfreeze(used(net.backbone, biases))


@register("all", preset="full", recipe=Recipe(learning_rate=1.5e-4, batch_size=16, label_smoothing=0.1))
@dataclass(frozen=True)
class Full:
    """Trains every weight (full fine-tuning)."""

    def adapt(self, net: Net) -> None:
        unfreeze(used(net.backbone, net.backbone.model.parameters()))
