"""What any model answers: a probability for each label of N rows, or a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.evaluate.label_sets import decided
from stratune.evaluate.metrics import predicted
from stratune.task import SEPARATOR

if TYPE_CHECKING:
    from stratune.longtext.aggregate import Aggregate
    from stratune.longtext.evidence import Evidence
    from stratune.objective import Objective
    from stratune.task import Task


@dataclass(frozen=True)
class Chunks:
    """What was said of the documents' chunks one by one, before it was joined."""

    predictions: NDArray[np.float64]  # (M, C)
    owner: NDArray[np.int64]  # (M,) the document of each, rising
    count: int  # documents
    aggregate: Aggregate

    def joined(self, predictions: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M, C) -> (N, C)."""
        return self.aggregate(predictions, self.owner, self.count)


@dataclass(frozen=True)
class Scored:
    """N rows' answers as arrays."""

    predictions: NDArray[np.float64]  # (N, C), in the order of task.columns; NaN where invalid
    tokens_cut: NDArray[np.int32]  # (N,)
    invalid: NDArray[np.bool_] | None = None  # (N,) a generated answer that is no label; None: cannot happen
    answers: list[str] | None = None  # what was generated, as it was
    evidence: list[list[Evidence]] | None = None  # of documents in chunks: those that decided, first to last
    chunks: Chunks | None = None  # of documents whose chunks were answered one by one
    saved_seconds: float = 0.0  # what it would have taken longer without vectors that were there already
    # (N, K) of values read from a scale: how probable each level is.
    levels: NDArray[np.float64] | None = None

    def predicted(self, task: Task) -> list[Any]:
        """The most probable label of each row, empty for an invalid one; all labels of one half or more; or
        the value, None for an invalid row.
        """
        if task.kind == "regression":
            return [None if np.isnan(value) else float(value) for value in self.predictions[:, 0]]
        if task.kind == "multilabel":
            chosen = decided(self.predictions, self.invalid)
            return [SEPARATOR.join(np.asarray(task.labels)[row]) for row in chosen]
        best = predicted(self.predictions, self.invalid)
        return [task.labels[k] if k < len(task.labels) else "" for k in best]


def answered(
    objective: Objective, predictions: NDArray[np.float64], tokens_cut: NDArray[np.int32], **more: Any
) -> Scored:
    """The answers of rows of which this was said."""
    read = objective.predictions(predictions)
    return Scored(read, tokens_cut, levels=None if read is predictions else predictions, **more)
