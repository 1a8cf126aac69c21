"""Which objective a kind of task has."""

from __future__ import annotations

from stratune.errors import ConfigError, choices
from stratune.objective.base import Objective
from stratune.objective.classes import CrossEntropy
from stratune.objective.label_sets import Binary
from stratune.objective.levels import Corn, Cumulative, LevelValue
from stratune.objective.values import Value
from stratune.task import Kind, Task

# by kind of task, the default first
LOSSES: dict[Kind, tuple[str, ...]] = {
    "classification": ("cross_entropy",),
    "ordinal": ("corn", "cumulative", "cross_entropy", "mse"),
    "multilabel": ("binary",),
    "regression": ("mse", "mae", "huber"),
}
_OF_LEVELS: dict[str, type[Objective]] = {
    "corn": Corn,
    "cumulative": Cumulative,
    "cross_entropy": CrossEntropy,
    "mse": LevelValue,
}


def objective_of(task: Task, loss: str = "auto") -> Objective:
    """Raises ConfigError for a loss that the kind of task does not have."""
    losses = LOSSES[task.kind]
    loss = losses[0] if loss == "auto" else loss
    if loss not in losses:
        raise ConfigError(f"of {task.kind}: {choices(loss, ['auto', *losses])}", key="readout.loss")
    count = len(task.labels)
    if task.kind == "regression":
        return Value(0, loss)
    if task.kind == "multilabel":
        return Binary(count)
    return _OF_LEVELS[loss](count) if task.kind == "ordinal" else CrossEntropy(count)
