"""Between Python values, Arrow and `datasets.Dataset`."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset

from stratune.data.delimited import Batch
from stratune.errors import DataError


def to_dataset(table: pa.Table, path: str | Path | None = None) -> Dataset:
    """Zero-copy. The fingerprint is random: datasets' own would hash every byte (10 s for a gigabyte)."""
    try:
        return Dataset(table, fingerprint=uuid.uuid4().hex[:16])
    except (NotImplementedError, ValueError) as error:  # a column type that datasets has no feature for
        raise DataError(f"a column type is not supported: {error}", path=path) from None


def to_arrow(table: Dataset) -> pa.Table:
    """The rows as they are now: a selection or a format set on the Dataset is taken into account."""
    if table._indices is None:
        return table.data.table
    return table.with_format("arrow")[:]


def from_batches(batches: Iterable[Batch], path: str | Path) -> Dataset:
    """All batches as one table. DataError when there are none."""
    chunks: dict[str, list[tuple[int, pa.Array]]] = {}
    count = 0
    for batch in batches:
        for name, values in batch.items():
            chunks.setdefault(name, []).append((count, _array(values, name, path, count)))
        count += len(next(iter(batch.values()), []))
    if count == 0:
        raise DataError("has no rows", path=path)
    columns = {name: _joined(parts, count) for name, parts in chunks.items()}
    return to_dataset(pa.table(columns), path)


def _array(values: Sequence[Any], name: str, path: str | Path, offset: int) -> pa.Array:
    """Values of one type, or, where types are mixed, all of them as text."""
    try:
        return pa.array(values)
    except UnicodeEncodeError:
        raise _surrogate(values, name, path, offset) from None
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([as_text(value) for value in values], pa.string())


def _surrogate(values: Sequence[Any], name: str, path: str | Path, offset: int) -> DataError:
    for number, value in enumerate(values, start=offset + 1):
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            message = f"record {number} holds half a character (a lone surrogate, \\ud800 to \\udfff)"
            return DataError(message, path=path, column=name)
    return DataError("holds half a character (a lone surrogate)", path=path, column=name)


def _joined(parts: list[tuple[int, pa.Array]], count: int) -> pa.ChunkedArray:
    """Chunks of one column, laid on `count` rows: nulls where a batch lacked it, one type for all."""
    arrays, reached = [], 0
    for start, array in parts:
        arrays += [pa.nulls(start - reached), array] if start > reached else [array]
        reached = start + len(array)
    arrays += [pa.nulls(count - reached)] if count > reached else []
    kind = _common_type({array.type for array in arrays} - {pa.null()})
    if kind is None:
        return pa.chunked_array(
            [pa.array([as_text(v) for v in array.to_pylist()], pa.string()) for array in arrays]
        )
    return pa.chunked_array([array.cast(kind) for array in arrays])


def _common_type(kinds: set[pa.DataType]) -> pa.DataType | None:
    """None when only text can hold them all."""
    if len(kinds) <= 1:
        return next(iter(kinds), pa.string())
    return pa.float64() if all(pa.types.is_integer(k) or pa.types.is_floating(k) for k in kinds) else None


def as_text(value: object) -> str | None:
    """How a value is written as a name: 1 and 1.0 are "1", True is "True"; None and NaN are missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
