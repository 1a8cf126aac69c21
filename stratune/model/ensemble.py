"""The mean of what several models answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stratune.model.answers import Scored
from stratune.watch import SILENT, Progress, Scaled

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor


@dataclass
class EnsembleModel:
    """The mean of what the members say; of a row, of the members whose answer is valid."""

    members: list[Predictor]

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        told = Scaled(progress, 1, len(self.members))
        answers = [member.model(texts, pairs, told) for member in self.members]
        cut = np.max([answer.tokens_cut for answer in answers], axis=0)
        predictions = np.stack([answer.predictions for answer in answers])  # (members, N, C)
        if all(answer.invalid is None for answer in answers):
            return Scored(predictions.mean(axis=0), cut)
        valid = np.isfinite(predictions[:, :, 0])  # (members, N)
        count = valid.sum(axis=0)
        summed = np.where(valid[:, :, None], predictions, 0.0).sum(axis=0)
        mean = np.divide(summed, count[:, None], out=np.full_like(summed, np.nan), where=count[:, None] > 0)
        return Scored(mean, cut, invalid=count == 0)
