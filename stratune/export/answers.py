"""What a classification class of transformers makes of its logits, and what ours must become for it.

Its pipeline takes the softmax of one label's logits, the sigmoid of several labels', and a value as it is.
Where ours mean something else by a factor and an offset (the unit of a value), these go into the last layer.
Thresholds and calibration do not: the card tells them (card.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stratune.errors import UnsupportedError
from stratune.export.native import EXPORT
from stratune.model.base import INSTEAD

if TYPE_CHECKING:
    from stratune.objective import Objective


@dataclass(frozen=True)
class Answers:
    """Exported logits (N, C) are `scale` times ours plus `offset` (C,)."""

    problem_type: str
    scale: float
    offset: NDArray[np.float64]

    def __call__(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        return logits.astype(np.float64) * self.scale + self.offset


def answers_of(objective: Objective, backbone_id: str) -> Answers:
    """Raises UnsupportedError for logits that no class of transformers reads."""
    if objective.problem_type is None:
        what = type(objective).__name__.lower()
        why = (
            f"transformers has no head for the levels of {what}, which are no labels by themselves; {INSTEAD}"
        )
        raise UnsupportedError(EXPORT, backbone_id, why)
    return Answers(objective.problem_type, *objective.as_logits())
