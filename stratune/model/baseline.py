"""A fitted baseline as a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

import numpy as np

from stratune.model.answers import Scored
from stratune.model.arrays import array_of as array_of
from stratune.model.arrays import write_arrays as write_arrays
from stratune.model.base import Model
from stratune.tokens.tokens import first_words
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.model.tfidf import LinearText

    Rows = Sequence[str]
    Predictions = NDArray[np.float64]  # (N, C): probabilities of the labels, or values


@dataclass(frozen=True)
class Examples:
    """Texts (and their pairs), and the truth of training rows."""

    texts: Rows
    pairs: Rows | None = None
    truth: NDArray[Any] | None = None  # as data/rows.py gives it
    shares: NDArray[np.float64] | None = None  # (N, K) of labels, learned in the place of the truth
    folds: NDArray[np.int64] | None = None  # (N,) of training rows, where they choose and validation does not

    def first_words(self, count: int | None) -> Examples:
        """Every text cut after `count` words; None: uncut."""
        if count is None:
            return self
        cut = [[first_words(text, count) for text in column] for column in (self.texts, self.pairs or ())]
        return replace(self, texts=cut[0], pairs=cut[1] if self.pairs is not None else None)


class FittedBaseline(Protocol):
    """(N, C) out, and a state (arrays, JSON) that the baseline's `restore` reads back."""

    def predictions(self, rows: Examples) -> Predictions: ...

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]: ...


@dataclass
class BaselineModel(Model):
    """`max_words`: words read of a text, as by the other models of a comparison."""

    kind: ClassVar[str] = "baseline"

    fitted: FittedBaseline
    max_words: int | None = None

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        predictions = self.fitted.predictions(Examples(texts, pairs).first_words(self.max_words))
        progress.rows(len(texts))
        return Scored(predictions, np.zeros(len(texts), dtype=np.int32))

    def linear_text(self) -> LinearText | None:
        made = getattr(self.fitted, "linear", None)  # a user's own baseline need not have it
        return None if made is None else cast("LinearText", made())

    def write(self, folder: Path) -> dict[str, Any]:
        write_arrays(folder, "baseline", *self.fitted.state())
        return {"limit": {"max_words": self.max_words}}
