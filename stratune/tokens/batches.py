"""Batches by token budget over length-sorted buckets: little padding, every row exactly once an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from stratune.tokens.tokens import Tokens
    from stratune.tokens.trie import LabelScoring

    Rows = NDArray[np.int64]

BUCKET_STEPS = 50  # rows of so many steps are sorted by length together: little padding, still random


@dataclass(frozen=True)
class Batch:
    """B rows, padded on the right to T. `hidden` or `pooled`: the cached output of frozen blocks."""

    ids: Tensor  # (B, T) int64
    mask: Tensor  # (B, T) int64, 1 where there is a token
    types: Tensor | None = None  # (B, T) int64
    hidden: Tensor | None = None  # (B, T, C) input of block number `depth`
    depth: int = 0
    pooled: Tensor | None = None  # (B, C)
    scoring: LabelScoring | None = None  # of prompts: shared prefix and label tokens
    owner: Tensor | None = None  # (B,) of chunks: the number of their document, 0 to count - 1
    count: int = 0  # documents
    features: Tensor | None = None  # (B, F) numbers of each text beside its tokens

    def to(self, device: torch.device) -> Batch:
        moved = {
            name: value.to(device, non_blocking=True)
            for name in ("ids", "mask", "types", "hidden", "pooled", "owner", "features")
            if (value := getattr(self, name)) is not None
        }
        return replace(self, **moved)

    def __len__(self) -> int:
        return len(self.ids)

    def split(self, count: int) -> list[Batch]:
        """The rows in parts of `count`; `owner` is dropped."""
        parts = []
        for start in range(0, len(self), count):
            rows = slice(start, start + count)
            some = {
                name: value[rows]
                for name in ("ids", "mask", "types", "hidden", "pooled", "features")
                if (value := getattr(self, name)) is not None
            }
            parts.append(replace(self, **some, owner=None, count=0))
        return parts


def collate(tokens: Tokens, rows: Sequence[int] | Rows, pad: int) -> Batch:
    """Rows of `tokens` as one padded batch."""
    lengths = [int(tokens.offsets[r + 1] - tokens.offsets[r]) for r in rows]
    ids = np.full((len(lengths), max(lengths)), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    types = np.zeros_like(ids) if len(tokens.types) else None
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        part = slice(tokens.offsets[row], tokens.offsets[row] + length)
        ids[i, :length] = tokens.ids[part]
        mask[i, :length] = 1
        if types is not None:
            types[i, :length] = tokens.types[part]
    segments = torch.from_numpy(types) if types is not None else None
    found = Batch(torch.from_numpy(ids), torch.from_numpy(mask), segments, scoring=tokens.scoring)
    given = {
        "features": tokens.features,
        "pooled": None if tokens.embedded is None else tokens.embedded.vectors,
    }
    of_rows: dict[str, Any] = {
        name: torch.from_numpy(array[rows]) for name, array in given.items() if array is not None
    }
    return replace(found, **of_rows) if of_rows else found


def by_budget(rows: Rows, lengths: NDArray[np.int64], budget: int) -> Iterator[Rows]:
    """Rows, in their order, as batches of at most `budget` padded tokens (at least one row each)."""
    start, longest = 0, 0
    for i, row in enumerate(rows):
        longest = max(longest, int(lengths[row]))
        if i > start and longest * (i - start + 1) > budget:
            yield rows[start:i]
            start, longest = i, int(lengths[row])
    if start < len(rows):
        yield rows[start:]


def sorted_batches(lengths: NDArray[np.int64], budget: int) -> list[Rows]:
    """All rows, longest first (so that running out of memory happens at once), for inference."""
    order = np.argsort(-lengths, kind="stable")
    return list(by_budget(order, lengths, budget))


def training_steps(lengths: NDArray[np.int64], batch_size: int, seed: int, epoch: int) -> list[Rows]:
    """Optimiser steps of one epoch, in random order: rows of similar length, about equal numbers of tokens.

    A step has the tokens of `batch_size` rows of mean length. The result depends on the arguments only, so a
    resumed run gets the same steps.
    """
    random = np.random.default_rng([seed, epoch, 0x5EED])
    order = random.permutation(len(lengths))
    budget = max(1, round(batch_size * float(np.mean(lengths))))
    bucket = BUCKET_STEPS * batch_size
    steps: list[Rows] = []
    for start in range(0, len(order), bucket):
        part = order[start : start + bucket]
        steps.extend(by_budget(part[np.argsort(lengths[part], kind="stable")], lengths, budget))
    random.shuffle(steps)
    return steps


def paired_steps(truth: NDArray[Any], batch_size: int, seed: int, epoch: int) -> list[Rows]:
    """Optimiser steps of one epoch for losses over pairs of rows: rows of equal truth come in twos.

    Truth (N,) or (N, K). Every row comes once, `batch_size` in a step. With any number of labels nearly every
    row has another of its label in its step. The result depends on the arguments only.
    """
    random = np.random.default_rng([seed, epoch, 0xC057])
    _, group = np.unique(truth, axis=0, return_inverse=True)
    order = random.permutation(len(truth))
    order = order[np.argsort(group.reshape(-1)[order], kind="stable")]  # groups, shuffled within
    edges = np.flatnonzero(np.diff(group.reshape(-1)[order])) + 1
    twos = [part[i : i + 2] for part in np.split(order, edges) for i in range(0, len(part), 2)]
    mixed = np.concatenate([twos[i] for i in random.permutation(len(twos))])
    return [mixed[i : i + batch_size] for i in range(0, len(mixed), batch_size)]


def micro_batches(
    step: Rows, lengths: NDArray[np.int64], budget: int, rank: int, world: int
) -> list[tuple[Rows, int]]:
    """This process's share of a step as micro-batches: (rows, how many of them count).

    Every process gets the same number of micro-batches, because all take part in each gradient sum. A process
    with too few rows repeats one with a count of 0.
    """
    shares = [step[r::world] for r in range(world)]
    count = max(1, max(len(list(by_budget(share, lengths, budget))) for share in shares if len(share)))
    mine = shares[rank]
    if len(mine) < count:
        filler = [(step[:1], 0)] * (count - len(mine))
        return [(mine[i : i + 1], 1) for i in range(len(mine))] + filler
    if world == 1:
        return [(part, len(part)) for part in by_budget(mine, lengths, budget)]
    return [(part, len(part)) for part in np.array_split(mine, count)]


def padding_share(batches: Sequence[Rows], lengths: NDArray[np.int64]) -> float:
    """Share of padding among all positions of these batches."""
    positions = sum(len(rows) * int(lengths[rows].max()) for rows in batches)
    return 1.0 - float(sum(lengths[rows].sum() for rows in batches)) / positions
