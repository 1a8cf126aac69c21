"""A fitted baseline, answering like any other model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stratune.model.answers import Scored
from stratune.tokens.tokens import first_words
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = Sequence[str]
    Predictions = NDArray[np.float64]  # (N, C): probabilities of the labels, or values


@dataclass(frozen=True)
class Examples:
    """What a floor sees: texts (and their pairs), and the truth where it learns."""

    texts: Rows
    pairs: Rows | None = None
    truth: NDArray[Any] | None = None  # as data/rows.py gives it

    def first_words(self, count: int | None) -> Examples:
        """The same with every text cut after `count` words; None: whole."""
        if count is None:
            return self
        cut = [[first_words(text, count) for text in column] for column in (self.texts, self.pairs or ())]
        return Examples(cut[0], cut[1] if self.pairs is not None else None, self.truth)


class FittedBaseline(Protocol):
    """A fitted floor: (N, C) out, and a state (arrays, JSON) that `restore` reads back."""

    def predictions(self, rows: Examples) -> Predictions: ...

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]: ...


@dataclass
class BaselineModel:
    """A fitted floor. It reads as many words of a text as the language models beside it."""

    model: FittedBaseline
    max_words: int | None = None

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        predictions = self.model.predictions(Examples(texts, pairs).first_words(self.max_words))
        progress.rows(len(texts))
        return Scored(predictions, np.zeros(len(texts), dtype=np.int32))
