"""Cascades of two models: the second is asked about the rows of which the first is not sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stratune.evaluate.arrays import Floats
from stratune.model.answers import Scored, unanswered
from stratune.model.ensemble import EnsembleModel
from stratune.watch import SILENT, Progress


def confidence(predictions: Floats, *, one_label: bool) -> Floats:
    """(N, K) probabilities -> (N,) that of the answer; of label sets that of the label that is least clear.

    An answer that is missing (NaN) has none: -inf.
    """
    sure = predictions if one_label else np.maximum(predictions, 1 - predictions)
    found = sure.max(axis=1) if one_label else sure.min(axis=1)
    return np.where(np.isnan(found), -np.inf, found)


def joined(cheap: Scored, dear: Scored, asked: NDArray[np.intp]) -> Scored:
    """The answers of the first, and in the rows `asked` those of the second."""
    predictions, cut = cheap.predictions.copy(), np.array(cheap.tokens_cut)
    predictions[asked], cut[asked] = dear.predictions, dear.tokens_cut
    never_invalid = cheap.invalid is None and dear.invalid is None
    return Scored(predictions, cut, invalid=None if never_invalid else unanswered(predictions))


@dataclass
class CascadeModel(EnsembleModel):
    """`members`: the cheap one and the dear one. `threshold`: how sure the cheap one is where it answers."""

    kind: ClassVar[str] = "cascade"

    threshold: float
    share: float  # of the validation rows about which the dear one was asked
    one_label: bool

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        first, second = self.members
        cheap = first.answer(texts, pairs, progress)
        sure = confidence(cheap.predictions, one_label=self.one_label)
        asked = np.flatnonzero(~(sure >= self.threshold))
        rows: list[int] = asked.tolist()
        if not rows:
            return Scored(cheap.predictions, cheap.tokens_cut, invalid=cheap.invalid)
        beside = None if pairs is None else [pairs[i] for i in rows]
        dear = second.answer([texts[i] for i in rows], beside, SILENT)
        return joined(cheap, dear, asked)

    def write(self, folder: Path) -> dict[str, Any]:
        return {**super().write(folder), "cascade": {"threshold": self.threshold, "share": self.share}}

    def expected_cost(
        self, texts: Sequence[str], pairs: Sequence[str] | None, price: tuple[float, float]
    ) -> float:
        cheap, dear = (member.model.expected_cost(texts, pairs, price) for member in self.members)
        return cheap + self.share * dear
