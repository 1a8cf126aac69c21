"""Heads that are computed from the vectors of rows: which vectors and truths a technique's `solve` gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from stratune.data.share_out import folds_of
from stratune.errors import TrainingError
from stratune.train.feed import Feed
from stratune.train.infer import vectors
from stratune.train.solved import Labelled, VectorRows

if TYPE_CHECKING:
    from datasets import Dataset
    from numpy.typing import NDArray

    from stratune.data.split import Split
    from stratune.net.net import Net
    from stratune.strategy.base import Solved
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.train.runtime import Runtime

# With fewer training rows, cross-validation over them chooses better than the validation rows do, which are
# fewer still; with more it would cost six solutions for one.
FOLDED_ROWS = 5000
LEAST_ROWS = 3  # to fold at all


def of_owners(values: NDArray[Any], rows: Feed) -> NDArray[Any]:
    """(N, ...) of texts -> of what is read of them: the texts, or chunks, each with the value of its text."""
    return values if rows.owner is None else values[rows.owner]


@dataclass(frozen=True)
class HeadSolver:
    """`folded`: settings are chosen by cross-validation over the training rows, where these are few.

    Not where their vectors were trained on their labels: such vectors fit them all too well.
    """

    net: Net
    technique: Solved
    task: Task
    split: Split
    runtime: Runtime
    reader: Reader
    weights: torch.Tensor | None  # (K,) of labels in the loss
    folded: bool

    def solve(self, rows: Feed, val: Feed) -> int:
        """Set the tensors of the head; `rows` are those of train.

        Returns of how many settings validation chose one. Raises NonFiniteLoss.
        """
        self.net.eval()
        train = self._part(rows, self.split.train, self.split.wanted)
        folds = self._folds(rows) if self.folded or self.split.cross_validated else None
        if folds is not None:
            folds = folds[_present(rows)]
        asked = (
            train if self.split.cross_validated else self._part(val, self.split.val, self.split.wanted_of_val)
        )
        found = VectorRows(train, asked, self.task, self._encode, folds, self.weights)
        return self.technique.solve(self.net, found)

    def _folds(self, rows: Feed) -> NDArray[np.int64] | None:
        """(N,) the fold of each row: equal texts, and the rows of a group, share one."""
        table = self.split.train
        if self.split.cross_validated:
            return of_owners(np.asarray(self.split.folds), rows)
        if self.split.taught:
            return None
        if not LEAST_ROWS <= len(table) < FOLDED_ROWS:
            return None
        folds, _, _ = folds_of(table, self.split.task, seed=0)
        if len(np.unique(folds)) < 2:  # one group
            return None
        return of_owners(folds, rows)

    def _part(self, rows: Feed, table: Dataset, wanted: NDArray[np.float64] | None = None) -> Labelled:
        """Vectors of texts (of both texts of a pair in turn), or of chunks with the truth of their texts; of
        the rows that have one.
        """
        there = _present(rows)
        truth = torch.from_numpy(of_owners(self.task.target.truth(table["label"][:]), rows)[there])
        soft = None if wanted is None else torch.from_numpy(of_owners(wanted, rows)[there])
        found = self._vectors(rows)
        if not there.all():
            each = len(found) // len(there)  # vectors of a row
            found = found[torch.from_numpy(np.repeat(there, each))]
        return Labelled(found, truth, soft)

    def _vectors(self, rows: Feed) -> torch.Tensor:
        """(M, C) pooled; with the features of the texts beside them, where the head reads some."""
        found = self._pooled(rows)
        if not self.net.head.reads_features:
            return found
        assert rows.tokens.features is not None
        return torch.cat([found, torch.from_numpy(rows.tokens.features)], dim=1)

    def _pooled(self, rows: Feed) -> torch.Tensor:
        if rows.tokens.embedded is not None:
            return torch.from_numpy(rows.tokens.embedded.vectors)
        if rows.frozen is not None and rows.frozen.pooled is not None:
            return torch.from_numpy(rows.frozen.pooled)
        assert self.net.head.pool is not None
        plain = Feed(rows.tokens, rows.pad, rows.frozen)  # the head may read the texts of a row together
        return vectors(self.net, plain, self.net.head.pool, self.runtime).clone()

    def _encode(self, texts: Sequence[str]) -> torch.Tensor:
        """Raises TrainingError for a text without a vector."""
        tokens = self.reader.tokens(list(texts), None)
        for text, why in zip(texts, tokens.why_absent or (), strict=False):
            if why:
                raise TrainingError(f"no vector of {text!r}: {why}")
        return self._vectors(Feed(tokens, self.net.backbone.pad))


def _present(rows: Feed) -> NDArray[np.bool_]:
    """(N,) the rows of a feed that have vectors. Raises TrainingError where none has one."""
    if rows.tokens.embedded is None:
        return np.ones(len(rows), dtype=bool)
    why = rows.tokens.why_absent if rows.by_document else rows.tokens.embedded.why
    if why and all(why):
        raise TrainingError(f"no row has a vector: {why[0]}")
    return np.array([not one for one in why or ()], dtype=bool)
