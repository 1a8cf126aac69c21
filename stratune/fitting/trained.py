"""What fitting gives: a predictor, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stratune.predictor.predictor import Predictor
from stratune.train.checkpoint import TrainingState
from stratune.train.precision import Precision

if TYPE_CHECKING:
    from stratune.prompt.trial import Trial


@dataclass
class Trained:
    """A predictor and what its training was like. Floors have no position."""

    predictor: Predictor
    position: TrainingState | None = None
    train_seconds: float = 0.0  # frozen activations and choosing a prompt included, validation apart
    trainable_params: int = 0
    total_params: int | None = 0  # None: a server's
    precision: Precision | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what the user should know
    trials: list[Trial] = field(default_factory=list)  # prompts that were tried, the chosen one first
    is_main_process: bool = True  # of several that train together, the one that writes
    processes: int = 1
