"""The answers of any model to N rows: probabilities of labels, or values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from stratune.longtext.aggregate import Aggregate
    from stratune.longtext.evidence import Course, Evidence
    from stratune.task import Task


@dataclass(frozen=True)
class Chunks:
    """Predictions for chunks of documents, before they are aggregated."""

    predictions: NDArray[np.float64]  # (M, K); NaN where a chunk got no answer
    owner: NDArray[np.int64]  # (M,) the document of each, rising
    count: int  # documents
    aggregate: Aggregate

    def joined(self, predictions: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M, K) -> (N, K); NaN for a document none of whose chunks got an answer."""
        answered = ~np.isnan(predictions).any(axis=1)
        if answered.all():
            return self.aggregate(predictions, self.owner, self.count)
        documents, owner = np.unique(self.owner[answered], return_inverse=True)
        found = np.full((self.count, predictions.shape[1]), np.nan)
        if len(documents):
            found[documents] = self.aggregate(predictions[answered], owner, len(documents))
        return found

    def tuned(self, score: Callable[[NDArray[np.float64]], float]) -> Aggregate:
        """The aggregate with the best `score` of the documents' predictions on validation."""
        answered = ~np.isnan(self.predictions).any(axis=1)
        if not answered.all():  # chunks without an answer cannot be scored
            return self.aggregate
        return self.aggregate.tuned(self.predictions, self.owner, self.count, score)


@dataclass(frozen=True)
class Scored:
    """N rows' answers as arrays."""

    predictions: NDArray[np.float64]  # (N, C), in the order of task.columns; NaN where invalid
    tokens_cut: NDArray[np.int32]  # (N,)
    invalid: NDArray[np.bool_] | None = None  # (N,) a generated answer that is no label; None: cannot happen
    answers: list[str] | None = None  # generated text
    courses: list[Course] | None = None  # of documents in chunks
    chunks: Chunks | None = None  # of documents whose chunks were predicted one by one
    saved_seconds: float = 0.0  # time saved by vectors that were cached already
    # (N, K) of values read from a rating scale: the probability of each level
    levels: NDArray[np.float64] | None = None
    # (N,) of a prompted model: the probability that all labels' words had together; NaN where not known
    mass: NDArray[np.float64] | None = None
    why: list[str] | None = None  # why a row is invalid; "" where it is not
    certain: bool = False  # whether a row is one label for certain: no metric of probabilities is of use
    decided: Any = (
        None  # (N, ...) what was decided, as Target.decided has it; None: nothing was chosen for it
    )

    @property
    def evidence(self) -> list[list[Evidence]] | None:
        """Of each document in chunks the most important ones, first first."""
        return None if self.courses is None else [one.most_important for one in self.courses]

    def predicted(self, task: Task) -> list[Any]:
        """The label of each row, empty for an invalid one; all its labels; or the value, None for an invalid
        row.
        """
        target = task.target
        decided = self.decided
        return target.named(target.decided(self.predictions, self.invalid) if decided is None else decided)


def gathered(parts: Sequence[Scored], rows: Sequence[NDArray[np.int64]]) -> Scored:
    """One Scored of the answers to parts of N rows; `rows` (M,) of each part are the numbers of its rows.

    Without chunks: each part's were joined in its own way.
    """
    back = np.argsort(np.concatenate(rows))

    def arrays(found: Sequence[Any]) -> Any:
        return None if any(one is None for one in found) else np.concatenate(found)[back]

    def lists(found: Sequence[Any]) -> Any:
        together = [value for one in found for value in one or ()]
        return [together[i] for i in back] if len(together) == len(back) else None

    return Scored(
        np.concatenate([one.predictions for one in parts])[back],
        np.concatenate([one.tokens_cut for one in parts])[back],
        invalid=arrays([one.invalid for one in parts]),
        answers=lists([one.answers for one in parts]),
        courses=lists([one.courses for one in parts]),
        saved_seconds=sum(one.saved_seconds for one in parts),
        levels=arrays([one.levels for one in parts]),
        mass=arrays([one.mass for one in parts]),
        why=lists([one.why for one in parts]),
        certain=all(one.certain for one in parts),
    )


def unanswered(predictions: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """(N,) the rows of (N, C) that hold NaN; None where there is none."""
    found = np.asarray(np.isnan(predictions).any(axis=1))
    return found if found.any() else None


def answered(
    model: Reads, probabilities: NDArray[np.float64], tokens_cut: NDArray[np.int32], **more: Any
) -> Scored:
    """Scored from probabilities (N, K), or values (N, 1)."""
    predictions = model.predictions_of(probabilities)
    levels = None if predictions is probabilities else probabilities
    return Scored(predictions, tokens_cut, levels=levels, **more)


class Reads(Protocol):
    """Maps probabilities to predictions."""

    def predictions_of(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]: ...
