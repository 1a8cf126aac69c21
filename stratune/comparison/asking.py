"""A model that is asked about changed rows: the probability of the right label, and whether it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.comparison.bench import Bench
from stratune.perturb.places import Texts
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.evaluate.arrays import Flags, Floats
    from stratune.model.answers import Scored
    from stratune.predictor.predictor import Predictor


@dataclass
class Asking:
    """Of a task with one label a row. Wrong answers are remembered, by row and text."""

    model: Predictor
    bench: Bench
    progress: Progress = SILENT
    _wrong: dict[tuple[int, Texts], Any] = field(default_factory=dict, repr=False)

    def __call__(self, rows: Sequence[int], texts: Sequence[Texts]) -> tuple[Floats, Flags]:
        """Of M rows with these texts, (M,) each. An answer that is no label is wrong, with probability 0."""
        pairs = None if self.bench.pairs is None else [text[1] for text in texts]
        scored = self.model.answer([text[0] for text in texts], pairs)
        truth, decided = self._truth[np.asarray(rows, dtype=np.intp)], self._decided(scored)
        probabilities = np.nan_to_num(scored.predictions[np.arange(len(rows)), truth], nan=0.0)
        wrong = np.asarray(decided != truth)
        for i in np.flatnonzero(wrong).tolist():
            self._wrong[rows[i], texts[i]] = decided[i]
        self.progress.rows(len(rows))
        return probabilities, wrong

    def as_they_are(self) -> tuple[Floats, Flags]:
        """Of the N rows of the bench."""
        rows = range(len(self.bench.ids))
        return self(rows, [self.texts(row) for row in rows])

    def texts(self, row: int) -> Texts:
        bench = self.bench
        return (bench.texts[row],) if bench.pairs is None else (bench.texts[row], bench.pairs[row])

    def wrong_answer(self, row: int, texts: Texts) -> Any:
        """The label that was answered; empty where none was."""
        return self.bench.task.target.named(np.asarray([self._wrong[row, texts]]))[0]

    @property
    def _truth(self) -> NDArray[Any]:
        """(N,) label indices; of shares of raters the label of most of them."""
        truth = self.bench.truths.truth
        return truth if truth.ndim == 1 else np.asarray(truth.argmax(axis=1))

    def _decided(self, scored: Scored) -> NDArray[Any]:
        if scored.decided is not None:
            return np.asarray(scored.decided)
        return np.asarray(self.bench.task.target.decided(scored.predictions, scored.invalid))
