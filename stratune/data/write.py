"""open_writer: batches -> one csv, jsonl or parquet file, written whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from stratune.data.arrow import as_text
from stratune.data.delimited import Batch
from stratune.errors import DataError, choices
from stratune.files import replacing

FORMATS = ("csv", "jsonl", "parquet")


class Writer(Protocol):
    """What open_writer yields. The first batch fixes the columns of csv and parquet."""

    def write(self, batch: Batch) -> None: ...


@contextlib.contextmanager
def open_writer(path: str | Path, format: str | None = None) -> Iterator[Writer]:
    """A writer to `path`; "-" is standard output, which gets csv unless `format` is set.

    The file appears when the block ends without an error. Until then, and after an error, the old one stays.
    """
    kind = _format(path, format)
    if str(path) == "-":
        sys.stdout.flush()
        with _writer(sys.stdout.buffer, kind, "standard output") as writer:
            yield writer
        sys.stdout.buffer.flush()
        return
    check_writable(Path(path))
    with replacing(path) as temporary, temporary.open("wb") as stream, _writer(stream, kind, path) as writer:
        yield writer


def _format(path: str | Path, format: str | None) -> str:
    suffix = Path(path).suffix.lower().removeprefix(".")
    kind = format or ("csv" if str(path) == "-" else "jsonl" if suffix == "ndjson" else suffix)
    check_format(kind, path)
    return kind


def check_format(kind: str, path: str | Path | None = None) -> None:
    if kind not in FORMATS:
        raise DataError(f"output format {choices(kind, FORMATS)}", path=path)


@contextlib.contextmanager
def _writer(stream: BinaryIO, kind: str, path: str | Path) -> Iterator[Writer]:
    if kind == "csv":
        yield CsvWriter(stream, path)
    elif kind == "jsonl":
        yield JsonlWriter(stream)
    else:
        parquet = ParquetWriter(stream, path)
        try:
            yield parquet
        finally:
            parquet.close()


def _utf8(text: str) -> bytes:
    """Half a character (a lone surrogate) can come out of JSON; written as \\ud800 it can go back into it."""
    return text.encode("utf-8", "backslashreplace")


def check_writable(path: Path) -> None:
    """DataError now rather than after the work is done."""
    if path.is_dir():
        raise DataError("is a folder, not a file", path=path)
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir():
        raise DataError(f"cannot be written: {parent} is a file, not a folder", path=path)
    if not os.access(parent, os.W_OK):
        raise DataError(f"cannot be written: no permission in {parent}", path=path)


class CsvWriter:
    """Missing values are empty, lists and dicts JSON."""

    def __init__(self, stream: BinaryIO, path: str | Path) -> None:
        self.stream, self.path = stream, path
        self.columns: list[str] | None = None
        self.rows = csv.writer(_Lines(stream))

    def write(self, batch: Batch) -> None:
        if self.columns is None:
            self.columns = list(batch)
            self.rows.writerow(self.columns)
        aligned = _aligned(batch, self.columns, self.path)
        self.rows.writerows(zip(*([_cell(value) for value in values] for values in aligned), strict=True))


class _Lines:
    """csv.writer's file, written a row at a time. One that ends rows with \\n does not quote \\r."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def write(self, row: str) -> int:
        return self.stream.write(_utf8(row.removesuffix("\r\n") + "\n"))


class JsonlWriter:
    """Missing values and NaN are null."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def write(self, batch: Batch) -> None:
        for values in zip(*batch.values(), strict=True):
            record = {name: _finite(value) for name, value in zip(batch, values, strict=True)}
            self.stream.write(_utf8(json.dumps(record, ensure_ascii=False, default=str) + "\n"))


class ParquetWriter:
    """Types come from the first batch; a column without any value there is text."""

    def __init__(self, stream: BinaryIO, path: str | Path) -> None:
        self.stream, self.path = stream, path
        self.file: pq.ParquetWriter | None = None

    def write(self, batch: Batch) -> None:
        if self.file is None:
            first = pa.table(batch).schema
            self.schema = pa.schema(
                [f if f.type != pa.null() else pa.field(f.name, pa.string()) for f in first]
            )
            self.file = pq.ParquetWriter(self.stream, self.schema, compression="zstd")
        aligned = _aligned(batch, self.schema.names, self.path)
        arrays = [self._array(field, values) for field, values in zip(self.schema, aligned, strict=True)]
        self.file.write_table(pa.table(arrays, schema=self.schema))

    def _array(self, field: pa.Field, values: list[Any]) -> pa.Array:
        try:
            return pa.array(values, field.type)
        except (pa.ArrowException, ValueError):
            message = (
                f"holds values that are not {field.type}, the type of its first rows; write jsonl or csv"
            )
            raise DataError(message, path=self.path, column=field.name) from None

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def _aligned(batch: Batch, columns: list[str], path: str | Path) -> list[list[Any]]:
    """The batch's values in the order of `columns`; a missing column is None. DataError for a new one."""
    new = [name for name in batch if name not in columns]
    if new:
        raise DataError(
            "appears after the first rows were written without it; write jsonl instead",
            path=path,
            column=new[0],
        )
    rows = len(next(iter(batch.values()), []))
    return [batch.get(name) or [None] * rows for name in columns]


def _cell(value: Any) -> str:
    return repr(value) if isinstance(value, float) and not math.isnan(value) else as_text(value) or ""


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
