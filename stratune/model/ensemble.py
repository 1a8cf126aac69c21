"""Ensemble: the mean of the predictions of several models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from stratune.model.answers import Scored
from stratune.model.base import Model
from stratune.watch import SILENT, Progress, Scaled


class Member(Protocol):
    """A predictor: a model with `save`, which writes a model folder of its own. The probabilities of `answer`
    are calibrated where the predictor's are; what it decides by itself is not asked.
    """

    @property
    def model(self) -> Model: ...

    def answer(self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress) -> Scored: ...

    def save(self, folder: Path) -> Path: ...


def mean_of(answers: Sequence[Scored]) -> Scored:
    """The mean of several models' predictions for the same rows, over those that have a valid answer."""
    cut = np.max([answer.tokens_cut for answer in answers], axis=0)
    predictions = np.stack([answer.predictions for answer in answers])  # (members, N, C)
    if all(answer.invalid is None for answer in answers):
        return Scored(predictions.mean(axis=0), cut)
    valid = np.isfinite(predictions[:, :, 0])  # (members, N)
    count = valid.sum(axis=0)
    summed = np.where(valid[:, :, None], predictions, 0.0).sum(axis=0)
    mean = np.divide(summed, count[:, None], out=np.full_like(summed, np.nan), where=count[:, None] > 0)
    return Scored(mean, cut, invalid=count == 0)


@dataclass
class EnsembleModel(Model):
    """The mean of the members' predictions. Members with an invalid answer for a row are left out there."""

    kind: ClassVar[str] = "ensemble"
    cannot_export = "it is several models; export one of its folders members/0, members/1, ..."

    members: Sequence[Member]

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        by_row = Scaled(progress, 1, len(self.members))
        return mean_of([member.answer(texts, pairs, by_row) for member in self.members])

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
