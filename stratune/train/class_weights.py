"""Class weights of the training loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stratune.errors import ConfigError, choices
from stratune.task import Task

ClassWeights = str | Mapping[str, float]  # "none", "balanced", or label -> weight


def class_weights(wanted: ClassWeights, labels: NDArray[np.int64], task: Task) -> Tensor | None:
    """(K,) weights with mean 1 over the training rows, so that the learning rate stays; None: all equal."""
    if wanted == "none":
        return None
    names = task.labels
    if not task.target.one_label:
        raise ConfigError(f"a task of kind {task.kind} has no classes to weigh", key="train.class_weights")
    counts = np.bincount(labels, minlength=len(names)).astype(np.float64)
    if wanted == "balanced":
        weights = np.where(counts > 0, len(labels) / np.maximum(counts, 1), 0.0)
    elif isinstance(wanted, Mapping):
        for name in wanted:
            if name not in names:
                raise ConfigError(choices(name, names), key="train.class_weights")
        weights = np.array([float(wanted.get(name, 1.0)) for name in names])
    else:
        raise ConfigError(choices(wanted, ["none", "balanced"]), key="train.class_weights")
    weights *= len(labels) / float((weights * counts).sum())
    return torch.tensor(weights, dtype=torch.float32)
