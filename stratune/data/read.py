"""read(source): a file or object as a raw table. iter_batches(source): its rows in batches.

A reader is a row of READERS, found by the file's suffix.
"""

from __future__ import annotations

import codecs
import io
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
from datasets import ClassLabel, Dataset, DatasetDict

from stratune.data import delimited, excel, json_files, parquet
from stratune.data.arrow import from_batches, to_arrow, to_dataset
from stratune.data.delimited import Batch, check_header
from stratune.data.demo import demo_table
from stratune.data.hub import load_hub
from stratune.data.text_files import codec_of, require_file
from stratune.errors import ConfigError, DataError, choices
from stratune.task import Task

ROWS = 8192  # records turned into Arrow at a time
PART_NAMES = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "development": "val",
    "eval": "val",
    "evaluation": "val",
    "test": "test",
}
STANDARD_INPUT = "standard input"  # what messages call "-"


@dataclass(frozen=True)
class Reader:
    """How one kind of file is read."""

    batches: Callable[[Path, int, str | None, str | None], Iterator[Batch]]  # rows, encoding, delimiter
    table: Callable[[Path], Dataset] | None = None  # where the whole file can be had with its types
    lines: Callable[[Path], Iterator[int]] | None = None  # the line on which each record starts


READERS: dict[str, Reader] = {
    ".csv": Reader(delimited.csv_batches, lines=delimited.csv_lines),
    ".tsv": Reader(delimited.tsv_batches, lines=delimited.tsv_lines),
    ".json": Reader(json_files.json_batches),
    ".jsonl": Reader(json_files.jsonl_batches, lines=json_files.jsonl_lines),
    ".ndjson": Reader(json_files.jsonl_batches, lines=json_files.jsonl_lines),
    ".parquet": Reader(parquet.parquet_batches, table=parquet.read_parquet),
    ".xlsx": Reader(excel.excel_batches),
}


@dataclass(frozen=True)
class Tables:
    """A source's table, with its own val, test and task where it has them. `name` is for messages, `notes`
    say what was found out while reading.
    """

    train: Dataset
    name: str
    val: Dataset | None = None
    test: Dataset | None = None
    task: Task | None = None
    notes: tuple[str, ...] = ()


def read(source: Any, *, encoding: str | None = None, delimiter: str | None = None) -> Dataset:
    """One raw table: the columns as they are. Of a hub dataset with splits, its train split.

    `source`: a path (csv, tsv, json, jsonl, parquet, xlsx), a pandas DataFrame, a list of dicts, a dict of
    columns, a Dataset, Tables, "hub:name/config" or "demo:name". DataError names file, row and column.
    """
    return read_tables(source, encoding=encoding, delimiter=delimiter).train


def cells_of(table: Dataset, name: str, path: str | Path) -> list[Any]:
    """Of a column. Raises DataError, with the columns that there are, where it is not there."""
    if name not in table.column_names:
        raise DataError(f"no such column: {choices(name, table.column_names)}", path=path)
    found: list[Any] = to_arrow(table).column(name).to_pylist()
    return found


def read_tables(source: Any, *, encoding: str | None = None, delimiter: str | None = None) -> Tables:
    """As read, with all that the source has: a hub dataset's own splits, a demo's task."""
    if isinstance(source, Tables):
        return source
    name = source_name(source)
    if isinstance(source, DatasetDict):
        return _from_splits(source, name)
    if not isinstance(source, str | Path):
        return Tables(_from_object(source, name), name)
    if name.startswith("hub:"):
        return _from_splits(load_hub(name), name)
    if name.startswith("demo:"):
        table, task = demo_table(name.removeprefix("demo:"))
        return Tables(table, name, task=task)
    path = Path(source)
    table = _from_file(path, encoding, delimiter)
    return Tables(table, name, notes=_notes(path, encoding, delimiter))


def _notes(path: Path, encoding: str | None, delimiter: str | None) -> tuple[str, ...]:
    """Which delimiter was found, where it is not a comma."""
    if delimiter is not None or path.suffix.lower() != ".csv":
        return ()
    found = delimited.sniffed(path, encoding)
    return () if found == "," else (f"{path}: columns are separated by {found!r}",)


def source_name(source: Any) -> str:
    """How messages call it: the path as given, or what kind of object it is."""
    if isinstance(source, str | Path):
        return STANDARD_INPUT if str(source) == "-" else str(source)
    if isinstance(source, Tables):
        return source.name
    return "list of records" if isinstance(source, list) else type(source).__name__


def row_of(name: str | Path, index: int) -> int:
    """The row that a message names for record `index` (from 0): a line of the file, else the record's number.

    Reads the file again, so that line numbers cost nothing until something is wrong.
    """
    path = Path(name)
    reader = READERS.get(path.suffix.lower())
    if reader is None or reader.lines is None or not path.is_file():
        return index + 1
    return next(itertools.islice(reader.lines(path), index, None), index + 1)


def iter_batches(
    source: Any,
    rows: int = 4096,
    *,
    encoding: str | None = None,
    format: str | None = None,
    delimiter: str | None = None,
) -> Iterator[Batch]:
    """Batches of at most `rows` records, in order, at constant memory (but a .json array is read whole).

    `source`: a file, "-" for standard input (csv or jsonl: `format`, else by its first character), or
    anything that `read` takes. DataError as in `read`; a source without records is one too.
    """
    if isinstance(source, str | Path) and str(source) == "-":
        batches = _from_stream(sys.stdin.buffer, rows, encoding, format, delimiter)
    elif isinstance(source, str | Path) and not str(source).startswith(("hub:", "demo:")):
        batches = _reader(Path(source)).batches(Path(source), rows, encoding, delimiter)
    else:
        batches = (dict(batch) for batch in read(source).iter(batch_size=rows))
    empty = True
    for batch in batches:
        empty = False
        yield batch
    if empty:
        raise DataError("has no rows", path=source_name(source))


def _reader(path: Path) -> Reader:
    require_file(path, READERS)
    return READERS[path.suffix.lower()]


def _from_file(path: Path, encoding: str | None, delimiter: str | None) -> Dataset:
    if str(path) == "-":
        batches = _from_stream(sys.stdin.buffer, ROWS, encoding, None, delimiter)
        return from_batches(batches, STANDARD_INPUT)
    reader = _reader(path)
    if reader.table is not None:
        return reader.table(path)
    return from_batches(reader.batches(path, ROWS, encoding, delimiter), path)


def _from_stream(
    raw: BinaryIO, rows: int, encoding: str | None, format: str | None, delimiter: str | None
) -> Iterator[Batch]:
    buffer = io.BufferedReader(raw)  # type: ignore[type-var]
    codec = codec_of(encoding, buffer.peek(64)[:64])
    start = buffer.peek(64).removeprefix(codecs.BOM_UTF8).lstrip()
    kind = format or ("jsonl" if start.startswith(b"{") else "csv")
    if kind not in ("csv", "jsonl"):
        raise ConfigError(choices(kind, ("csv", "jsonl")), key="format")
    if not start:
        raise DataError("is empty", path=STANDARD_INPUT)
    stream = io.TextIOWrapper(buffer, encoding=codec, newline="")
    try:
        if kind == "jsonl":
            yield from json_files.stream_batches(stream, STANDARD_INPUT, rows)
        else:
            yield from delimited.stream_batches(stream, STANDARD_INPUT, rows, delimiter=delimiter)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        message = (
            f"byte 0x{byte:02x} is not {encoding or 'UTF-8'}: convert the text to UTF-8 or name its encoding"
        )
        raise DataError(message, path=STANDARD_INPUT) from None
    finally:
        stream.detach()
        buffer.detach()  # standard input stays open: others may read it


def _from_splits(splits: DatasetDict, name: str) -> Tables:
    """A hub dataset's splits. A part whose labels are hidden (all -1, as in GLUE's test) is left out."""
    if not isinstance(splits, DatasetDict):
        return Tables(splits, name)
    parts = {
        PART_NAMES[key]: table for key, table in splits.items() if key in PART_NAMES and not _hidden(table)
    }
    if "train" not in parts:
        raise DataError(f"has no train split, only {', '.join(splits)}", path=name)
    return Tables(parts["train"], name, parts.get("val"), parts.get("test"))


def _hidden(table: Dataset) -> bool:
    named = [column for column, feature in table.features.items() if isinstance(feature, ClassLabel)]
    return any(set(table.data.column(column).unique().to_pylist()) == {-1} for column in named)


def _from_object(source: Any, name: str) -> Dataset:
    """Rows that are in memory already."""
    if isinstance(source, Dataset):
        table = source
    elif isinstance(source, pd.DataFrame):
        table = _from_frame(source, name)
    elif isinstance(source, Mapping):
        table = _from_columns(source, name)
    elif isinstance(source, list):
        table = _from_records(source, name)
    else:
        known = "a path, a DataFrame, a list of dicts, a dict of columns or a Dataset"
        raise DataError(f"cannot be read as data: give {known}", path=name)
    if len(table) == 0:
        raise DataError("has no rows", path=name)
    return table


def _from_columns(source: Mapping[Any, Any], name: str) -> Dataset:
    columns: dict[str, Any] = {}
    for column, values in source.items():
        if isinstance(values, (str, bytes)) or not (
            hasattr(values, "__len__") and hasattr(values, "__iter__")
        ):
            raise DataError(
                f"expected a column of values, found {type(values).__name__}", path=name, column=str(column)
            )
        columns[str(column)] = list(values)
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{column} {count}" for column, count in list(lengths.items())[:5])
        raise DataError(f"columns differ in length: {found}", path=name)
    return from_batches([columns], name)


def _from_frame(frame: pd.DataFrame, name: str) -> Dataset:
    check_header([str(column) for column in frame.columns], name)
    columns = {str(column): frame[column] for column in frame.columns}
    try:
        arrays = {column: pa.Array.from_pandas(values) for column, values in columns.items()}
        return to_dataset(pa.table(arrays), name)
    except (pa.ArrowException, UnicodeEncodeError):  # values of several types in one column
        return from_batches([{column: values.tolist() for column, values in columns.items()}], name)


def _from_records(records: list[Any], name: str) -> Dataset:
    for number, record in enumerate(records, start=1):
        if not isinstance(record, Mapping) or not all(isinstance(key, str) for key in record):
            raise DataError("expected a dict with names as keys", path=name, row=number)
    return from_batches(json_files.in_batches(records, ROWS), name)
