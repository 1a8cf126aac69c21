"""What a head is computed from, where the loop does not train it: vectors of the rows and their truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from stratune.net.nearest_head import VectorHead
    from stratune.net.net import Net
    from stratune.objective import Objective
    from stratune.task import Task

Quality = tuple[float, float]  # (the metric that selects, minus the loss): higher is better, loss breaks ties


@dataclass(frozen=True)
class Labelled:
    """Vectors (M, C) float32 and truth (N,) or (N, K) of a table part, on the CPU.

    Of single texts and chunks M is N. Of pairs that are read apart M is 2 N. `wanted` (N, C): a soft truth
    that is learned in the place of `truth` (target/base.py).
    """

    vectors: Tensor
    truth: Tensor
    wanted: Tensor | None = None

    def losses(
        self, objective: Objective, logits: Tensor, rows: NDArray[np.int64] | slice, weights: Tensor | None
    ) -> Tensor:
        """(B,) of logits (B, outputs) of these rows."""
        if self.wanted is not None:
            return objective.expected_losses(logits, self.wanted[rows], weights, 0.0)
        return objective.losses(logits, self.truth[rows], weights, 0.0)

    def shares(self, objective: Objective) -> Tensor:
        """(N, K) how much each row is of a label; of values (N, 1), standardised."""
        if self.wanted is None:
            return objective.shares(self.truth)
        return self.wanted.float() if objective.labels else objective.shares(self.wanted[:, 0])

    def where(self, rows: Tensor) -> Labelled:
        """Those that `rows` (N,) marks, of vectors one a row."""
        wanted = None if self.wanted is None else self.wanted[rows]
        return Labelled(self.vectors[rows], self.truth[rows], wanted)


@dataclass(frozen=True)
class VectorRows:
    """What a head is computed from.

    `folds` (N,) of the training rows: settings are chosen by cross-validation over them; None: by the
    validation rows. `weights` (K,): of labels in the loss. `encode`: M texts -> (M, C), read by the same
    backbone.
    """

    train: Labelled
    val: Labelled
    task: Task
    encode: Callable[[Sequence[str]], Tensor]
    folds: NDArray[np.int64] | None = None
    weights: Tensor | None = None


def tried(rows: VectorRows, settings: int) -> int:
    """Of how many settings validation chose one: of none but one where folds of the training rows did."""
    return settings if rows.folds is None else 1


def set_head(net: Net, tensors: Mapping[str, Tensor]) -> None:
    """Give the head these values."""
    for name, parameter in net.head.named_parameters():
        parameter.data = tensors[name].to(parameter.device, parameter.dtype, copy=True)


def held_out(net: Net, rows: VectorRows, fit: Callable[[Labelled], Mapping[str, Tensor]]) -> Quality:
    """Of the heads that `fit` gives, on rows that they have not seen: of the other folds, or of validation.

    The head is left with the tensors of one of them.
    """
    if rows.folds is None:
        set_head(net, fit(rows.train))
        return quality(net, _logits(net, rows.val.vectors), rows.val, rows)
    found = torch.zeros(len(rows.folds), net.objective.outputs)
    for fold in np.unique(rows.folds):
        outside = torch.from_numpy(rows.folds == fold)
        set_head(net, fit(rows.train.where(~outside)))
        found[outside] = _logits(net, rows.train.vectors[outside])
    return quality(net, found, rows.train, rows)


def _logits(net: Net, vectors: Tensor) -> Tensor:
    device = next(net.parameters()).device
    head = cast("VectorHead", net.head)
    with torch.no_grad():
        return head.classify(head.unit(vectors.to(device))).cpu()


def quality(net: Net, logits: Tensor, part: Labelled, rows: VectorRows) -> Quality:
    """Of logits (N, outputs), on the CPU, of the rows of a part."""
    objective, target = net.objective, rows.task.target
    loss = float(part.losses(objective, logits, slice(None), rows.weights).double().mean())
    found: NDArray[Any] = objective.predictions(objective.probabilities(logits.double().numpy()))
    return rows.task.selection.score(target.score(part.truth.numpy(), found)), -loss
