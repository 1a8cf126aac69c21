"""Ensembles: the mean of the predictions of several models, each counted alike or by a weight of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from stratune.model.answers import Scored
from stratune.model.base import Floats, Model
from stratune.watch import SILENT, Progress, Scaled


class Member(Protocol):
    """A predictor: a model with `save`, which writes a model folder of its own. The probabilities of `answer`
    are calibrated where the predictor's are; what it decides by itself is not asked.
    """

    @property
    def model(self) -> Model: ...

    def answer(self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress) -> Scored: ...

    def save(self, folder: Path) -> Path: ...


def weighted_mean(predictions: Floats, weights: Floats) -> Floats:
    """Predictions (M, N, C) of M members, weights (M,) or (M, N) of any sum -> (N, C).

    A member without an answer for a row (NaN) is left out there; NaN where none has one.
    """
    shares = weights.reshape(len(weights), -1)  # (M, 1) or (M, N)
    valid = np.isfinite(predictions[:, :, 0])  # (M, N)
    total = (valid * shares).sum(axis=0)  # (N,)
    summed = (np.where(valid[:, :, None], predictions, 0.0) * shares[:, :, None]).sum(axis=0)
    empty = np.full_like(summed, np.nan)
    return np.asarray(np.divide(summed, total[:, None], out=empty, where=total[:, None] > 0))


def mean_of(answers: Sequence[Scored], weights: Floats) -> Scored:
    """Of the answers of M members to the same rows, `weights` (M,)."""
    cut = np.max([answer.tokens_cut for answer in answers], axis=0)
    mean = weighted_mean(np.stack([answer.predictions for answer in answers]), weights)
    never_invalid = all(answer.invalid is None for answer in answers)
    return Scored(mean, cut, invalid=None if never_invalid else np.asarray(np.isnan(mean).any(axis=1)))


@dataclass
class EnsembleModel(Model):
    """The mean of the members' predictions. Members with an invalid answer for a row are left out there."""

    kind: ClassVar[str] = "ensemble"
    cannot_export = "it is several models; export one of its folders members/0, members/1, ..."
    cannot_graph = cannot_export

    members: Sequence[Member]

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        by_row = Scaled(progress, 1, len(self.members))
        return mean_of([member.answer(texts, pairs, by_row) for member in self.members], self._weights)

    @property
    def _weights(self) -> Floats:
        """(M,), of any sum."""
        return np.ones(len(self.members))

    def write(self, folder: Path) -> dict[str, Any]:
        for number, member in enumerate(self.members):
            member.save(folder / "members" / str(number))
        return {}

    @property
    def device(self) -> str | None:
        return next((device for member in self.members if (device := member.model.device)), None)

    @property
    def paid(self) -> bool:  # type: ignore[override]
        return any(member.model.paid for member in self.members)

    def expected_cost(
        self, texts: Sequence[str], pairs: Sequence[str] | None, price: tuple[float, float]
    ) -> float:
        return sum(member.model.expected_cost(texts, pairs, price) for member in self.members)


@dataclass
class WeightedModel(EnsembleModel):
    """The weighted mean. Its kind is another one, so that no older stratune reads it as a plain mean."""

    kind: ClassVar[str] = "weighted_ensemble"

    weights: tuple[float, ...]  # of the members, above 0, sum 1

    @property
    def _weights(self) -> Floats:
        return np.asarray(self.weights)

    def write(self, folder: Path) -> dict[str, Any]:
        return {**super().write(folder), "weights": list(self.weights)}

    def interpretation(self) -> Any:
        return self.weights
