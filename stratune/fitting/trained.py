"""What fitting gives: a predictor, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stratune.data.rows import sample_rows
from stratune.predictor.predictor import Predictor
from stratune.train.checkpoint import TrainingState

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.model.base import Model
    from stratune.prompt.trial import Trial
    from stratune.task import Task


@dataclass
class Trained:
    """A predictor and what its training was like. Baselines have no training state."""

    predictor: Predictor
    position: TrainingState | None = None
    train_seconds: float = 0.0  # frozen activations and choosing a prompt included, validation apart
    trainable_params: int = 0
    total_params: int | None = 0  # None: a server's
    precision: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what the user should know
    trials: list[Trial] = field(default_factory=list)  # prompts that were tried, the chosen one first
    is_main_process: bool = True  # of several that train together, the one that writes
    processes: int = 1


def predictor_of(
    strategy: Any, backbone: Any, task: Task, model: Model, split: Split, seed: int
) -> Predictor:
    """The model with where it comes from. `strategy` says its settings, `backbone` (or None) what it is."""
    about = {
        "strategy": strategy.settings(),
        "backbone": backbone and {key: getattr(backbone, key) for key in ("id", "revision", "weight_hash")},
        "fingerprint": split.fingerprint,
        "seed": seed,
    }
    return Predictor(replace(task), model, about, sample=sample_rows(split.val))
