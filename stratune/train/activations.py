"""Frozen activations, computed once: the output of the blocks below the first trainable one.

They are a function of weights, tokens and depth, so a hash of those is the key; strategies, seeds and epochs
share them. A table part is one entry, written whole, so that a text's activations never depend on what an
earlier or parallel run left in the cache. Texts that do not fit are computed in every batch anew, and round
in another way in their last digits; where there is room for all of them later, the entry is made again.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stratune.cache import kept
from stratune.files import cache_folder, folder_bytes, read_json, sha256
from stratune.tokens.batches import Batch, collate, sorted_batches
from stratune.train.feed import CachedActivations, Feed
from stratune.train.infer import vectors
from stratune.train.runtime import Runtime, autocast
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.net.net import Net
    from stratune.tokens.tokens import Tokens

    Rows = NDArray[np.int64]

DEFAULT_LIMIT_GB = 10.0
ABANDONED_SECONDS = 3600.0


def cache_limit_bytes() -> int:
    """$STRATUNE_CACHE_GB (default 10), but never more than half of the free disk space."""
    wanted = float(os.environ.get("STRATUNE_CACHE_GB", DEFAULT_LIMIT_GB)) * 1e9
    return int(min(wanted, shutil.disk_usage(cache_folder()).free / 2))


def feed(
    net: Net,
    tokens: Tokens,
    runtime: Runtime,
    *,
    cache: bool = True,
    progress: Progress = SILENT,
) -> Feed:
    """The batches of a table part, with cached activations if `cache` is on and bottom blocks are frozen."""
    plain = Feed(tokens, net.backbone.pad, by_document=net.head.by_document)
    depth = net.frozen_blocks()
    if not cache or depth == 0 or not len(tokens):
        return plain
    store = _Store(net, tokens, depth, runtime, progress)
    try:
        plain.frozen = store.open()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return plain  # the disk is full: nothing is cached
    return plain


@dataclass
class _Store:
    net: Net
    tokens: Tokens
    depth: int
    runtime: Runtime
    progress: Progress

    @property
    def whole(self) -> bool:
        """Nothing in the backbone is trainable: the head reads pooled texts only."""
        return self.depth == len(self.net.backbone.blocks)

    @property
    def dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.runtime.precision == "bfloat16" else torch.float32

    def key(self) -> str:
        import transformers

        backbone = self.net.backbone
        read = f"pooled {self.net.head.pool}" if self.whole else f"block {self.depth}"
        libraries = f"{torch.__version__} {transformers.__version__}"
        runtime = self.runtime
        how = f"{runtime.precision} {runtime.device.type} {runtime.micro_batch_tokens} {libraries}"
        segments = np.ascontiguousarray(self.tokens.types).tobytes()
        return sha256(backbone.weight_hash, backbone.held, self.tokens.digest(), segments, read, how)

    def open(self) -> CachedActivations:
        folder = cache_folder() / "activations" / self.key()
        while True:
            found = kept(folder, lambda empty: self._compute(empty, folder.parent))
            with contextlib.suppress(FileNotFoundError):  # another run has just dropped it to make room
                opened = self._opened(folder, found)
                whole = len(self.tokens)
                if not found or opened.rows == whole or self._room()[0] < whole:
                    return opened
                shutil.rmtree(folder, ignore_errors=True)

    def _opened(self, folder: Path, found: bool) -> CachedActivations:
        os.utime(folder)  # the least recently used entries go first
        about = read_json(folder / "about.json")
        return CachedActivations(
            folder=folder,
            depth=self.depth,
            rows=int(about["rows"]),
            seconds=float(about["seconds"]),
            offsets=self.tokens.offsets,
            width=self.net.backbone.width,
            dtype=self.dtype,
            live=lambda batch: self._run(batch),
            pooled=np.load(folder / "pooled.npy", allow_pickle=False) if self.whole else None,
            found=found,
        )

    def _compute(self, empty: Path, store: Path) -> None:
        start = time.perf_counter()
        rows = self._rows_that_fit(store)
        if self.whole:
            np.save(empty / "pooled.npy", self._pooled(), allow_pickle=False)
        else:
            self._write_hidden(empty / "hidden.bin", self.tokens.lengths[:rows])
        about = {"rows": rows, "seconds": time.perf_counter() - start}
        (empty / "about.json").write_text(json.dumps(about), encoding="utf-8")

    def _rows_that_fit(self, store: Path) -> int:
        """Evict least recently used entries; returns how many texts then fit within the limit."""
        rows, spare = self._room()
        if not self.whole:
            _evict(store, spare)
        return rows

    def _room(self) -> tuple[int, int]:
        """How many texts fit within the limit, and the bytes of it that they leave."""
        if self.whole:
            return len(self.tokens), 0
        limit = cache_limit_bytes()
        row_bytes = self.tokens.offsets[1:] * self.net.backbone.width * self.dtype.itemsize
        rows = int(np.searchsorted(row_bytes, limit, side="right"))
        return rows, limit - int(row_bytes[rows - 1] if rows else 0)

    def _pooled(self) -> NDArray[np.float32]:
        pool = self.net.head.pool
        assert pool is not None  # a head that reads more than one vector has no frozen blocks
        feed = Feed(self.tokens, self.net.backbone.pad)
        return np.asarray(vectors(self.net, feed, pool, self.runtime, self.progress).numpy())

    def _write_hidden(self, path: Path, lengths: NDArray[np.int64]) -> None:
        item = self.net.backbone.width * self.dtype.itemsize
        with path.open("wb") as stream:
            for rows, batch in self._batches(lengths):
                hidden = self._run(batch).to(self.dtype).cpu().view(torch.uint8).numpy()
                for i, row in enumerate(rows):
                    stream.seek(int(self.tokens.offsets[row]) * item)
                    stream.write(hidden[i, : lengths[row]].tobytes())

    def _run(self, batch: Batch) -> Tensor:
        with autocast(self.runtime):
            return self.net.bottom(batch.to(self.runtime.device), self.depth).to(self.dtype).cpu()

    def _batches(self, lengths: NDArray[np.int64]) -> Iterator[tuple[Rows, Batch]]:
        self.net.eval()
        for rows in sorted_batches(lengths, self.runtime.micro_batch_tokens):
            yield (
                rows,
                collate(self.tokens, rows, self.net.backbone.pad).to(self.runtime.device),
            )
            self.progress.rows(len(rows))


def _evict(store: Path, room: int) -> None:
    """Drop the least recently used entries until the rest takes at most `room` bytes.

    Other runs write and drop entries meanwhile: what they are writing (a dot in front of its name) stays,
    unless nobody has for an hour, as after a kill.
    """
    entries: list[tuple[float, int, Path]] = []
    for entry in store.glob("*/"):
        with contextlib.suppress(FileNotFoundError):
            used = max(file.stat().st_mtime for file in (entry, *entry.iterdir()))
            if not entry.name.startswith(".") or time.time() - used > ABANDONED_SECONDS:
                entries.append((entry.stat().st_mtime, folder_bytes(entry), entry))
    for _, size, entry in sorted(entries, reverse=True):
        room -= size
        if room < 0:
            shutil.rmtree(entry, ignore_errors=True)
