"""AdamW (Loshchilov & Hutter 2019) as a recipe asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from stratune.train.shards import is_sharded

if TYPE_CHECKING:
    from stratune.net.net import Net
    from stratune.train.settings import Recipe


def optimizer_of(net: Net, recipe: Recipe, device: torch.device) -> torch.optim.AdamW:
    """Fused AdamW. Vectors (biases, norms) have no weight decay; the head may have its own learning rate.

    Tensors in parts and whole ones are in groups of their own: no kernel takes both.
    """
    groups: dict[tuple[float, float, bool], list[nn.Parameter]] = {}
    head = {id(p) for p in net.head.parameters()}
    for parameter in net.trainable().values():
        decay = recipe.weight_decay if parameter.dim() > 1 else 0.0
        rate = (
            (recipe.head_learning_rate or recipe.learning_rate)
            if id(parameter) in head
            else recipe.learning_rate
        )
        groups.setdefault((rate, decay, is_sharded(parameter)), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": p, "peak": rate, "lr": rate, "weight_decay": decay}
            for (rate, decay, _), p in groups.items()
        ],
        fused=device.type in ("cpu", "cuda"),
    )
