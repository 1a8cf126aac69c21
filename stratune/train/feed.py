"""Feed: rows of one table part as batches, with cached frozen activations filled in."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stratune.tokens.batches import Batch, collate

if TYPE_CHECKING:
    from stratune.tokens.tokens import Tokens

    Rows = NDArray[np.int64]


@dataclass
class Feed:
    """`feed.batch(rows)`: tokens of these rows, padded, and their cached activations if there are any."""

    tokens: Tokens
    pad: int
    frozen: CachedActivations | None = None
    by_document: bool = False  # rows are documents, and a batch holds all their chunks

    def batch(self, rows: Rows) -> Batch:
        if self.by_document:
            return self._documents(rows)
        batch = collate(self.tokens, rows, self.pad)
        return self.frozen.fill(batch, rows) if self.frozen is not None else batch

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def owner(self) -> NDArray[np.int64] | None:
        """(N,) the document of each row, where rows are chunks; None: rows are texts or whole documents."""
        documents = self.tokens.documents
        return None if documents is None or self.by_document else documents.owner

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(N,) tokens of each row."""
        lengths, documents = self.tokens.lengths, self.tokens.documents
        if not self.by_document or documents is None:
            return lengths
        return np.bincount(documents.owner, weights=lengths, minlength=documents.count).astype(np.int64)

    def _documents(self, rows: Rows) -> Batch:
        assert self.tokens.documents is not None
        edges = self.tokens.documents.edges
        chunks = np.concatenate([np.arange(edges[row], edges[row + 1]) for row in rows])
        owner = np.repeat(np.arange(len(rows)), [edges[row + 1] - edges[row] for row in rows])
        if (
            self.frozen is not None and self.frozen.pooled is not None
        ):  # the head reads vectors only, no tokens
            nothing = torch.zeros(len(chunks), 1, dtype=torch.int64)
            batch = self.frozen.fill(Batch(nothing, nothing), chunks)
        else:
            batch = collate(self.tokens, chunks, self.pad)
            batch = self.frozen.fill(batch, chunks) if self.frozen is not None else batch
        return replace(batch, owner=torch.from_numpy(owner), count=len(rows))

    @property
    def seconds(self) -> float:
        """Time that computing the frozen activations took, in this run or an earlier one."""
        return self.frozen.seconds if self.frozen is not None else 0.0

    @property
    def saved_seconds(self) -> float:
        """That time when an earlier run computed them; 0 when this one did."""
        return self.frozen.seconds if self.frozen is not None and self.frozen.found else 0.0


@dataclass
class CachedActivations:
    """Cached activations of a table part: pooled texts (N, C), or hidden states of the first `rows` texts."""

    folder: Path
    depth: int
    rows: int  # texts below this index are cached; the others did not fit and are computed each time
    seconds: float
    offsets: NDArray[np.int64]
    width: int
    dtype: torch.dtype
    live: Callable[[Batch], Tensor]
    pooled: NDArray[np.float32] | None = None
    found: bool = False  # an earlier run computed them

    def __post_init__(self) -> None:
        """Keep the file open, so that an entry that is evicted meanwhile can still be read."""
        self.stream: int | None = None
        if self.pooled is None and self.rows:
            self.stream = os.open(self.folder / "hidden.bin", os.O_RDONLY)
            weakref.finalize(self, os.close, self.stream)

    def fill(self, batch: Batch, rows: Rows) -> Batch:
        if self.pooled is not None:
            return replace(batch, pooled=torch.from_numpy(self.pooled[rows]))
        if (rows >= self.rows).any():
            return replace(batch, hidden=self.live(batch), depth=self.depth)
        hidden = torch.zeros(*batch.ids.shape, self.width, dtype=self.dtype)
        item = self.width * self.dtype.itemsize
        assert self.stream is not None
        for i, row in enumerate(rows):
            start, length = int(self.offsets[row]), int(self.offsets[row + 1] - self.offsets[row])
            flat = torch.frombuffer(
                bytearray(os.pread(self.stream, length * item, start * item)), dtype=self.dtype
            )
            hidden[i, :length] = flat.view(length, self.width)
        return replace(batch, hidden=hidden, depth=self.depth)
