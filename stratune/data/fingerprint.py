"""The fingerprint of a split: a digest of its rows, and of which part each is in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from datasets import Dataset

from stratune.data.arrow import to_arrow

PARTS = ("train", "val", "test")
HASHED = ("id", "text", "text_pair", "label")


def fingerprint(parts: Mapping[str, Dataset], wrong: Sequence[str] = (), folds: Sequence[int] = ()) -> str:
    """sha256 of part, id, text, pair and label of every row in order; chunking does not matter.

    Of labels that count as wrong too, and of folds: they change every score.
    """
    digest = hashlib.sha256()
    for part in PARTS:
        for piece in _pieces(part, parts[part]):
            digest.update(piece)
    if wrong:
        digest.update(f"wrong/{list(wrong)}".encode())
    if folds:
        digest.update(f"folds/{list(folds)}".encode())
    return digest.hexdigest()


def fingerprint_of(name: str, rows: Dataset) -> str:
    """Of one table, called `name`."""
    return hashlib.sha256(b"".join(_pieces(name, rows))).hexdigest()


def _pieces(part: str, rows: Dataset) -> Iterator[bytes]:
    table = to_arrow(rows)
    for name in HASHED:
        if name in table.column_names:
            yield f"{part}/{name}/{table.num_rows}".encode()
            yield _column_digest(table.column(name))


def _column_digest(column: pa.ChunkedArray) -> bytes:
    """Lengths and bytes of the strings, straight from Arrow's buffers: a gigabyte takes a second or two."""
    lengths, data = hashlib.sha256(), hashlib.sha256()
    for chunk in column.chunks:
        if not len(chunk):
            continue  # may have no buffers at all
        width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
        _, offsets_buffer, bytes_buffer = chunk.buffers()
        offsets = np.frombuffer(offsets_buffer, dtype=width)[chunk.offset : chunk.offset + len(chunk) + 1]
        lengths.update(np.diff(offsets).astype("<i8").tobytes())
        if bytes_buffer is not None:
            data.update(memoryview(bytes_buffer)[int(offsets[0]) : int(offsets[-1])])
    return lengths.digest() + data.digest()
