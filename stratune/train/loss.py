"""What training minimises, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from stratune.errors import ConfigError, choices

ClassWeights = str | Mapping[str, float]  # "none", "balanced", or label -> weight


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    """(B, K) float32 logits, (B,) labels -> (B,) losses, each times the weight of its label."""
    losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    return losses if weights is None else losses * weights[labels]


def surprise(said: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """(B, K) log-probabilities of the labels' words among all words, (B,) labels -> (B,) losses.

    What a language model is trained with, on the label's tokens alone: unlike `cross_entropy` it also falls
    when probability moves from words that are no label to the right one.
    """
    losses = -said.gather(1, labels[:, None])[:, 0]
    return losses if weights is None else losses * weights[labels]


def class_weights(wanted: ClassWeights, labels: NDArray[np.int64], names: Sequence[str]) -> Tensor | None:
    """(K,) weights whose mean over the training rows is 1, so that they move no learning rate; None: all
    equal.
    """
    if wanted == "none":
        return None
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
