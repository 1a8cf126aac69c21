"""What a technique asks of a backbone: its blocks (all, or the top k), and how it answers a short text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stratune.errors import ConfigError, UnsupportedError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from stratune.backbone.load import Backbone
    from stratune.tokens.batches import Batch

TOLERANCE = 1e-3  # relative; another order of the same sums gives some 1e-6


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


def used(backbone: Backbone, parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """Those that the model's hidden states depend on: LUKE's entities, say, have no part in plain text.

    Raises UnsupportedError for those that are held in a format that cannot be trained.
    """
    from stratune.backbone.held import is_packed

    unused = {id(backbone.model.get_parameter(name)) for name in backbone.family.unused}
    found = [parameter for parameter in parameters if id(parameter) not in unused]
    if any(map(is_packed, found)):
        why = f"they are held in {backbone.held}; use lora, or `train.weights: bfloat16`"
        raise UnsupportedError("training of the pretrained weights", backbone.id, why)
    return found


def norms(block: nn.Module) -> dict[str, nn.Module]:
    """The layer norms of a block (LayerNorm, RMSNorm and kin) by their path in it."""
    return {name: module for name, module in block.named_modules() if "Norm" in type(module).__name__}


def short_text(backbone: Backbone) -> Batch:
    """One row of four tokens from the middle of the vocabulary, to see how the model reads it."""
    import torch

    from stratune.tokens.batches import Batch

    middle = len(backbone.tokenizer) // 2
    ids = torch.arange(middle, middle + 4, device=backbone.model.device)[None]
    return Batch(ids, torch.ones_like(ids))


def same_states(found: Tensor, wanted: Tensor) -> bool:
    return bool((found - wanted).abs().max() <= TOLERANCE * wanted.abs().max())
