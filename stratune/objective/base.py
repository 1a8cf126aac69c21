"""What every objective can do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from stratune.errors import ArtifactError, choices

Truth = NDArray[Any]  # (N,) label numbers or values, or (N, K) zeros and ones


@dataclass(frozen=True)
class Objective:
    """`labels` is K, the number of labels (0 of values). What is fitted to the training rows are fields
    named in `fitted_fields`; a model folder holds them.
    """

    fitted_fields: ClassVar[tuple[str, ...]] = ()
    several_labels: ClassVar[bool] = False  # whether a row may have any number of labels
    softmax: ClassVar[bool] = False  # whether only differences of logits matter
    ordered_cuts: ClassVar[bool] = False  # whether logits are one number less each of several cuts in order

    labels: int

    @property
    def outputs(self) -> int:
        """Numbers that a net gives for a row."""
        return self.labels

    @property
    def problem_type(self) -> str | None:
        """What transformers calls a head whose answers are ours; None: it has none."""
        return "single_label_classification" if self.softmax else None

    def as_logits(self) -> tuple[float, NDArray[np.float64]]:
        """(factor, offsets (outputs,)) that make logits of such a head of ours."""
        return 1.0, np.zeros(self.outputs)

    def fitted(self, truth: Truth) -> Self:
        """With what it has to know of the training rows."""
        return self

    def start(self, truth: Truth, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64] | None:
        """(outputs,) logits that fit the training rows best where nothing is known of a text; None: zeros do.

        `weights` (K,) of labels, as in the loss. A bias moves by a learning rate a step at
        most under AdamW, so one that starts at 0 never gets to the -4 of a label of 2 % in a short training.
        """
        return None

    def losses(self, logits: Tensor, truth: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
        """(B, outputs) float32 and the truth of B rows -> (B,); `weights` (K,) of labels."""
        raise NotImplementedError

    def expected_losses(
        self, logits: Tensor, wanted: Tensor, weights: Tensor | None, smoothing: float
    ) -> Tensor:
        """As `losses`, of a soft truth (target/base.py): (B, K) shares of the labels -> (B,), the mean of the
        losses of the labels, each by its share.
        """
        labels = torch.arange(self.labels, device=logits.device)
        each = [self.losses(logits, one.expand(len(logits)), weights, smoothing) for one in labels]
        return (torch.stack(each, dim=1) * wanted.to(logits.dtype)).sum(dim=1)

    def shares(self, truth: Tensor) -> Tensor:
        """Truth of B rows -> (B, K): how much each is of a label. Of values (B, 1), standardised."""
        return F.one_hot(truth, self.labels).float()

    def similarity(self, truth: Tensor) -> Tensor:
        """Truth of B rows -> (B, B), from 0 to 1: how alike they are, for losses over pairs."""
        return (truth[:, None] == truth[None, :]).float()

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """(N, outputs) -> (N, K) probabilities, or (N, 1) values in the user's unit."""
        raise NotImplementedError

    def decoded(self, logits: Tensor) -> Tensor:
        """As `probabilities`, in torch and in the precision of the logits: what an exported graph holds."""
        raise NotImplementedError

    def predictions(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of a text, or of its chunks joined -> predictions: the same but for rated levels."""
        return probabilities

    @property
    def origin(self) -> float | None:
        """Of values: the prediction for a text of which nothing is known. None of labels."""
        return None

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.fitted_fields}

    def restored(self, state: Mapping[str, Any]) -> Self:
        """Raises ArtifactError for a state that is not of this objective."""
        given: dict[str, Any] = dict(state)
        for name, value in given.items():
            if name not in self.fitted_fields:
                raise ArtifactError(f"objective: damaged ({choices(name, self.fitted_fields)})")
            listed = isinstance(getattr(self, name), tuple)
            if listed != isinstance(value, (list, tuple)) or (listed and len(value) not in (0, self.labels)):
                raise ArtifactError(f"objective: damaged ({name} is {value!r})")
            given[name] = tuple(value) if listed else value  # JSON has no tuples
        return dataclasses.replace(self, **given)


def counted(truth: Truth, labels: int, weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """(K,) rows of each label, weighted; `truth` (N,) label numbers."""
    counts = np.bincount(truth, minlength=labels).astype(np.float64)
    return counts if weights is None else counts * weights


def log_odds(yes: NDArray[np.float64], no: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of counts, half a row added to each (Haldane 1956): what was never seen is rare, not impossible."""
    return np.asarray(np.log((yes + 0.5) / (no + 0.5)))


def weighted(losses: Tensor, truth: Tensor, weights: Tensor | None) -> Tensor:
    """(B,) losses, each times the weight of its row's label."""
    return losses if weights is None else losses * weights[truth]
