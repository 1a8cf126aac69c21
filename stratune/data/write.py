"""open_writer: batches -> one csv, jsonl or parquet file, written whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from stratune.data.arrow import as_text, to_array
from stratune.data.delimited import Batch
from stratune.errors import DataError, choices, reason
from stratune.files import replacing
from stratune.target.numbers import number

FORMATS = ("csv", "jsonl", "parquet")
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # with which a cell begins that a spreadsheet calculates


class Writer(Protocol):
    """What open_writer yields. The first batch fixes the columns of csv and parquet."""

    def write(self, batch: Batch) -> None: ...


@contextlib.contextmanager
def open_writer(
    path: str | Path,
    format: str | None = None,
    *,
    safe: bool = False,
    types: Mapping[str, pa.DataType] | None = None,
) -> Iterator[Writer]:
    """A writer to `path`; "-" is standard output, which gets csv unless `format` is set.

    `safe`: text cells of csv that a spreadsheet would take for formulas get an apostrophe. `types`: of the
    columns that are known beforehand (layout.py); others have those of the first batch.

    The file appears when the block ends without an error. Until then, and after an error, the old one stays.
    """
    kind = format_of(path, format)
    if str(path) == "-":
        sys.stdout.flush()
        with _writer(sys.stdout.buffer, kind, "standard output", safe, types or {}) as writer:
            yield writer
        sys.stdout.buffer.flush()
        return
    check_writable(path)
    with (
        replacing(path) as temporary,
        temporary.open("wb") as stream,
        _writer(stream, kind, path, safe, types or {}) as writer,
    ):
        yield writer


def format_of(path: str | Path, format: str | None) -> str:
    """csv, jsonl or parquet: `format`, or what the file's name says. DataError for another."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    kind = format or ("csv" if str(path) == "-" else "jsonl" if suffix == "ndjson" else suffix)
    check_format(kind, path)
    return kind


def check_format(kind: str, path: str | Path | None = None) -> None:
    if kind not in FORMATS:
        raise DataError(f"output format {choices(kind, FORMATS)}", path=path)


@contextlib.contextmanager
def _writer(
    stream: BinaryIO, kind: str, path: str | Path, safe: bool, types: Mapping[str, pa.DataType]
) -> Iterator[Writer]:
    if kind == "csv":
        yield CsvWriter(stream, path, safe=safe, known=list(types))
    elif kind == "jsonl":
        yield JsonlWriter(stream)
    else:
        parquet = ParquetWriter(stream, path, types)
        try:
            yield parquet
        finally:
            parquet.close()


def _utf8(text: str) -> bytes:
    """Half a character (a lone surrogate) can come out of JSON; written as \\ud800 it can go back into it."""
    return text.encode("utf-8", "backslashreplace")


def check_writable(path: str | Path) -> None:
    """DataError now rather than after the work is done; standard output can be written."""
    if str(path) == "-":
        return
    path = Path(path)
    if path.is_dir():
        raise DataError("is a folder, not a file", path=path)
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir():
        raise DataError(f"cannot be written: {parent} is a file, not a folder", path=path)
    if not os.access(parent, os.W_OK):
        raise DataError(f"cannot be written: no permission in {parent}", path=path)


class CsvWriter:
    """Missing values are empty, lists and dicts JSON. `known`: columns that a later batch may have."""

    def __init__(
        self, stream: BinaryIO, path: str | Path, *, safe: bool = False, known: Sequence[str] = ()
    ) -> None:
        self.stream, self.path, self.known = stream, path, known
        self.cell = _safe_value if safe else _cell
        self.columns: list[str] | None = None
        self.rows = csv.writer(_Lines(stream))

    def write(self, batch: Batch) -> None:
        if self.columns is None:
            self.columns = list(dict.fromkeys([*self.known, *batch]))
            self.rows.writerow([self.cell(name) for name in self.columns])
        aligned = _aligned(batch, self.columns, self.path)
        self.rows.writerows(zip(*([self.cell(value) for value in values] for values in aligned), strict=True))


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
            record = {name: _plain(value) for name, value in zip(batch, values, strict=True)}
            self.stream.write(_utf8(json.dumps(record, ensure_ascii=False, default=as_text) + "\n"))


class ParquetWriter:
    """Types that are not known come from the first batch: mixed ones, and none at all, are text."""

    def __init__(self, stream: BinaryIO, path: str | Path, types: Mapping[str, pa.DataType]) -> None:
        self.stream, self.path, self.types = stream, path, types
        self.file: pq.ParquetWriter | None = None

    def write(self, batch: Batch) -> None:
        if self.file is None:
            found = {
                name: to_array(values, name, self.path).type
                for name, values in batch.items()
                if name not in self.types
            }
            types = {**self.types, **found}
            self.schema = pa.schema(
                [(name, pa.string() if kind == pa.null() else kind) for name, kind in types.items()]
            )
            with self._refusing():
                self.file = pq.ParquetWriter(self.stream, self.schema, compression="zstd")
        aligned = _aligned(batch, self.schema.names, self.path)
        arrays = [self._array(field, values) for field, values in zip(self.schema, aligned, strict=True)]
        with self._refusing():
            self.file.write_table(pa.table(arrays, schema=self.schema))

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        """Raises DataError for types that parquet has not, objects without any key for one."""
        try:
            yield
        except pa.ArrowNotImplementedError as error:
            why = f"parquet cannot hold it ({reason(error)}); write jsonl"
            raise DataError(why, path=self.path) from error

    def _array(self, field: pa.Field, values: list[Any]) -> pa.Array:
        try:
            if pa.types.is_string(field.type):
                return pa.array([as_text(value) for value in values], field.type)
            return pa.array(values, field.type)
        except UnicodeEncodeError:
            raise DataError("holds half a character", path=self.path, column=field.name) from None
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            message = (
                f"holds values that are not {field.type}, the type of its first rows; write jsonl or csv"
            )
            raise DataError(message, path=self.path, column=field.name) from None

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def _aligned(batch: Batch, columns: list[str], path: str | Path) -> list[list[Any]]:
    """The batch's values in the order of `columns`; a missing column is None. DataError for a new one."""
    known = set(columns)
    if new := [name for name in batch if name not in known]:
        raise DataError(
            "appears after the first rows were written without it; write jsonl instead",
            path=path,
            column=new[0],
        )
    rows = len(next(iter(batch.values()), []))
    return [batch.get(name) or [None] * rows for name in columns]


def _cell(value: Any) -> str:
    return repr(value) if isinstance(value, float) and not math.isnan(value) else as_text(value) or ""


def safe_cell(text: str) -> str:
    """Text that a spreadsheet would take for a formula, with an apostrophe before it; numbers stay."""
    if text[:1] not in FORMULA or number(text) is not None:
        return text
    return f"'{text}"


def _safe_value(value: Any) -> str:
    return safe_cell(value) if isinstance(value, str) else _cell(value)


def _plain(value: Any) -> Any:
    """What JSON has: None for NaN and infinity, also inside of lists and dicts."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
