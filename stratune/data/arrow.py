"""Between Python values, Arrow and `datasets.Dataset`."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset, Features

from stratune.data.delimited import Batch
from stratune.errors import DataError, boundary, reason

NOTHING_IN_IT = pa.list_(pa.null())  # the type of lists that are empty, or hold nulls alone


def to_dataset(table: pa.Table, path: str | Path | None = None) -> Dataset:
    """Zero-copy. The fingerprint is random: datasets' own would hash every byte (10 s for a gigabyte)."""
    name = uuid.uuid4().hex[:16]
    try:
        return Dataset(table, fingerprint=name)
    except (NotImplementedError, ValueError):  # a column type that datasets has no feature for
        with boundary(lambda why: DataError(f"a column type is not supported: {why}", path=path)):
            return Dataset(_storable(table, path), fingerprint=name)


def _storable(table: pa.Table, path: str | Path | None) -> pa.Table:
    """Columns of other types than datasets has (maps, some durations) as text."""
    for index, field in enumerate(table.schema):
        try:
            Features.from_arrow_schema(pa.schema([field]))
        except (NotImplementedError, ValueError) as error:
            try:
                texts = pa.chunked_array([_texts(chunk) for chunk in table.column(index).chunks], pa.string())
            except (pa.ArrowException, ValueError):  # values without a Python object
                why = f"its type is not supported: {reason(error)}"
                raise DataError(why, path=path, column=field.name) from None
            table = table.set_column(index, field.name, texts)
    return table.replace_schema_metadata(None)


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
            if name not in chunks:
                _check_name(name, path)
            chunks.setdefault(name, []).append((count, to_array(values, name, path, count)))
        count += len(next(iter(batch.values()), []))
    if count == 0:
        raise DataError("has no rows", path=path)
    columns = {name: _joined(parts, count) for name, parts in chunks.items()}
    return to_dataset(pa.table(columns), path)


def _check_name(name: str, path: str | Path) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name of column {ascii(name)} holds half a character", path=path) from None


def to_array(values: Sequence[Any], name: str, path: str | Path, offset: int = 0) -> pa.Array:
    """Values of one type, or, where types are mixed, all of them as text. `offset`: records before them.

    DataError for half a character.
    """
    try:
        try:
            return pa.array(values)
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            if isinstance(error, UnicodeEncodeError):
                raise
            return pa.array([as_text(value) for value in values], pa.string())
    except UnicodeEncodeError:
        raise _surrogate(values, name, path, offset) from None


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
    kind = common_type({array.type for array in arrays} - {pa.null()})
    if kind is None:
        return pa.chunked_array([_texts(array) for array in arrays])
    try:
        return pa.chunked_array([_cast(array, kind) for array in arrays])
    except pa.ArrowInvalid:  # whole numbers that have no double of their own
        return pa.chunked_array([_texts(array) for array in arrays])


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Arrow's cast of lists of nulls to their own type makes lists that are longer than what they hold."""
    return array if array.type == kind else array.cast(kind)


def _texts(array: pa.Array) -> pa.Array:
    return pa.array([as_text(value) for value in array.to_pylist()], pa.string())


def common_type(kinds: set[pa.DataType]) -> pa.DataType | None:
    """The type of a column whose batches have these types; None: only text can hold them all."""
    if len(kinds) > 1 and any(pa.types.is_list(kind) and kind != NOTHING_IN_IT for kind in kinds):
        kinds = kinds - {NOTHING_IN_IT}
    if len(kinds) <= 1:
        return next(iter(kinds), pa.string())
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)
    return pa.float64() if numbers and any(map(pa.types.is_floating, kinds)) else None


def as_text(value: object) -> str | None:
    """How a value is written as a name: 1 and 1.0 are "1", True is "True", b"good" is "good".

    What stands for nothing is missing: None, NaN, pandas' NA and NaT.
    """
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        return None
    if isinstance(value, (float, Decimal, np.floating)) and math.isfinite(value) and value == int(value):
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def is_missing(value: object) -> bool:
    """Whether a value stands for nothing: None, NaN of any type, pandas' NA and NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, Decimal, np.floating)) and bool(np.isnan(float(value)))
