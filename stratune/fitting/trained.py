"""Trained: the result of fitting, a predictor with its costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stratune.data.rows import sample_rows
from stratune.predictor.predictor import Predictor
from stratune.train.checkpoint import TrainingState

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.model.answers import Scored
    from stratune.model.base import Model
    from stratune.prompt.trial import Trial
    from stratune.task import Task


@dataclass
class Trained:
    """A predictor, and how its training went. `position`: None without a training loop."""

    predictor: Predictor
    position: TrainingState | None = None
    train_seconds: float = 0.0  # with frozen activations and choosing a prompt, without validation
    trainable_params: int = 0
    total_params: int | None = 0  # None: a server's
    precision: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # for the user
    settings_tried: int = 1  # of which validation chose one
    price: float | None = None  # expected, of what a server answers; None: no server, or no price is known
    trials: list[Trial] = field(default_factory=list)  # prompts that were tried, the chosen one first
    is_main_process: bool = True  # in distributed training, the process that writes files
    processes: int = 1
    validation: Scored | None = None  # the model's answers to validation, not calibrated and not decided


def predictor_of(
    strategy: Any, backbone: Any, task: Task, model: Model, split: Split, seed: int
) -> Predictor:
    """The model with its origin: `strategy.settings()`, and id and weights of `backbone` (or None)."""
    about = {
        "strategy": strategy.settings(),
        "backbone": backbone and {key: getattr(backbone, key) for key in ("id", "revision", "weight_hash")},
        "fingerprint": split.fingerprint,
        "seed": seed,
    }
    return Predictor(replace(task), model, about, sample=sample_rows(split.val))
