"""Dynamic loss scaling for float16 (Micikevicius et al. 2018): its smallest number is 6e-8, and gradients are
smaller. The loss is multiplied by a power of two that is halved when a gradient overflows, and doubled after
`GROWS_AFTER` steps without. It stands in the TrainingState, so that a resumed training goes on with it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stratune.train.checkpoint import TrainingState

FIRST = 2.0**16
GROWS_AFTER = 2000  # steps
LEAST = 2.0**-10  # below it the loss itself is not finite, and scaling is no way out


def scale_of(position: TrainingState) -> float:
    """What the loss is multiplied by."""
    position.loss_scale = position.loss_scale or FIRST
    return position.loss_scale


def unscaled(gradients: list[Tensor], position: TrainingState) -> None:
    """Gradients of the loss itself, in place; exact, as the scale is a power of two."""
    torch._foreach_mul_(gradients, 1 / scale_of(position))


def is_taken(position: TrainingState, finite: bool) -> bool:
    """Whether the optimiser takes this step: not one whose gradients overflowed. Moves the scale."""
    if not finite:
        position.loss_scale, position.steps_at_scale = scale_of(position) / 2, 0
        return False
    position.steps_at_scale += 1
    if position.steps_at_scale == GROWS_AFTER:
        position.loss_scale, position.steps_at_scale = scale_of(position) * 2, 0
    return True
