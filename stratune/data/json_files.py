"""JSON (one array of objects) and JSON lines (one object a line)."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from stratune.data.delimited import Batch
from stratune.data.text_files import open_loosely, open_text
from stratune.errors import DataError

Record = dict[str, Any]
MOST_DEPTH = 100  # of arrays and objects in a record


def json_batches(
    path: Path, rows: int, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[Batch]:
    """Errors give the number of the record: lines mean little in a JSON array. JSON lines are read too."""
    with open_text(path, encoding) as stream:
        text = stream.read()
    if _are_lines(text):
        yield from in_batches(_records(io.StringIO(text), path), rows)
        return
    found = _parse(text, path)
    if not isinstance(found, list):
        raise DataError(f"expected an array of objects ([{{...}}, ...]), found {_kind(found)}", path=path)
    for number, record in enumerate(found, start=1):
        if not isinstance(record, dict):
            raise DataError(f"expected an object ({{...}}), found {_kind(record)}", path=path, row=number)
    yield from in_batches(found, rows)


def _are_lines(text: str) -> bool:
    """Whether the first line is an object by itself, and more follows."""
    first, _, more = text.lstrip().partition("\n")
    if not (first.startswith("{") and more.strip()):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def jsonl_batches(
    path: Path, rows: int, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[Batch]:
    with open_text(path, encoding) as stream:
        array = stream.read(1) == "["
    if array:  # one array, under the wrong name
        yield from json_batches(path, rows, encoding)
        return
    with open_text(path, encoding) as stream:
        yield from stream_batches(stream, path, rows)


def stream_batches(stream: TextIO, name: str | Path, rows: int) -> Iterator[Batch]:
    yield from in_batches(_records(stream, name), rows)


def jsonl_lines(path: Path) -> Iterator[int]:
    """The line of each record (blank lines hold none)."""
    with open_loosely(path) as stream:
        yield from (row for row, line in enumerate(stream, start=1) if line.strip())


def in_batches(records: Iterable[Record], rows: int) -> Iterator[Batch]:
    """Columns: all keys of the batch, in order of appearance; a key that a record lacks is None."""
    stream = iter(records)
    while chunk := list(itertools.islice(stream, rows)):
        names = dict.fromkeys(name for record in chunk for name in record)
        yield {name: [record.get(name) for record in chunk] for name in names}


def _records(stream: TextIO, name: str | Path) -> Iterator[Record]:
    for row, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        found = _parse(line, name, row)
        if not isinstance(found, dict):
            raise DataError(
                f"expected an object ({{...}}) on every line, found {_kind(found)}", path=name, row=row
            )
        yield found


def _parse(text: str, name: str | Path, row: int | None = None) -> Any:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        line = row or error.lineno
        raise DataError(
            f"invalid JSON at character {error.colno}: {error.msg}", path=name, row=line
        ) from None
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number of thousands of digits; thousands of nested brackets
        raise DataError(f"JSON that cannot be read: {error}", path=name, row=row) from None
    if text.count("[") + text.count("{") > MOST_DEPTH and is_deeper(found, MOST_DEPTH):
        raise DataError(f"JSON that is nested more than {MOST_DEPTH} deep", path=name, row=row)
    return found


def is_deeper(value: Any, levels: int) -> bool:
    """Level by level: what is nested deeper than Python may call functions has no bottom for a recursion."""
    level = [value]
    for _ in range(levels):
        level = [inner for one in level for inner in _inside(one)]
    return any(isinstance(one, (list, dict)) for one in level)


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
