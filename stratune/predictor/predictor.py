"""Predictor: the result of fitting a strategy. Texts in, labels and scores out; it saves and loads itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.errors import DataError
from stratune.model.answers import Scored
from stratune.predictor.model_folder import Saved, load
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.task import Task

Row = "str | tuple[str, str] | Mapping[str, Any]"


@dataclass(frozen=True)
class Prediction:
    """The prediction for one row. `scores`: probabilities by label; `invalid`: the answer was no label.

    For a multilabel task, `label` holds all labels of at least one half, separated by commas. A regression
    has a `value` and no scores. An invalid row has an empty `label`, or NaN as `value`.
    """

    label: str
    scores: dict[str, float]
    value: float | None = None
    invalid: bool = False
    tokens_cut: int = 0


@dataclass
class Predictor(Saved):
    """A fitted strategy; several threads may use it at once. `about` is written to its model folder."""

    @property
    def labels(self) -> tuple[str, ...]:
        return self.task.labels

    def predict(self, rows: Iterable[Row]) -> list[Prediction]:  # type: ignore[valid-type]
        """One Prediction per row, in order. A row: a text, a pair of texts, or a mapping of columns."""
        rows = list(rows)
        if not rows:
            return []
        scored = self.score(rows)
        invalid = scored.invalid if scored.invalid is not None else np.zeros(len(rows), dtype=bool)
        answers = scored.predicted(self.task)
        return [
            Prediction(*self.task.target.read(answer, numbers), invalid=bool(bad), tokens_cut=int(cut))
            for answer, numbers, bad, cut in zip(
                answers, scored.predictions, invalid, scored.tokens_cut, strict=True
            )
        ]

    def predict_proba(self, rows: Iterable[Row]) -> NDArray[np.float64]:  # type: ignore[valid-type]
        """(N, K) probabilities, columns in the order of `labels`; of a regression (N, 1) values."""
        rows = list(rows)
        return self.score(rows).predictions if rows else np.zeros((0, len(self.task.columns)))

    def score(self, rows: Sequence[Any], progress: Progress = SILENT) -> Scored:
        texts, pairs = columns(rows, self.task)
        return self.model(texts, pairs, progress)

    @classmethod
    def load(
        cls, folder: str | Path, *, device: str | None = None, backbone: Backbone | None = None
    ) -> Predictor:
        """Read a model folder. `backbone`: a loaded one, which many predictors can share."""
        found = load(folder, device=device, backbone=backbone)
        return cls(found.task, found.model, found.about)


def columns(rows: Sequence[Any], task: Task) -> tuple[list[str], list[str] | None]:
    """Texts and pairs from rows of any of the three kinds. Raises DataError with the row's number."""
    pairs = [_cells(row, number, task) for number, row in enumerate(rows, start=1)]
    texts = [first for first, _ in pairs]
    return texts, [second for _, second in pairs] if task.text_pair else None


def _cells(row: Any, number: int, task: Task) -> tuple[str, str]:
    if isinstance(row, str) and not task.text_pair:
        return row, ""
    if isinstance(row, (tuple, list)) and len(row) == 2 and task.text_pair:
        return str(row[0]), str(row[1])
    if hasattr(row, "get"):
        wanted = [task.text, *([task.text_pair] if task.text_pair else [])]
        for column in wanted:
            if column not in row:
                raise DataError(f"missing; the row has {', '.join(map(str, row))}", row=number, column=column)
        cells = ["" if row[column] is None else str(row[column]) for column in wanted]
        return cells[0], cells[1] if task.text_pair else ""
    shape = "a pair of texts" if task.text_pair else "a text"
    raise DataError(f"expected {shape} or a mapping of columns, found {type(row).__name__}", row=number)
