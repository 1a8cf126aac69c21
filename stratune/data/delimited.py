"""CSV and TSV, strictly: a row that does not fit its header is an error with its line, never a guess.

The standard library's parser, not Arrow's: only it knows on which line of the file a record starts. What
programs add to a table is read: pandas' index column, and a separator at the end of lines.
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

from stratune.data.text_files import open_loosely, open_text
from stratune.errors import ConfigError, DataError

Batch = dict[str, list[Any]]  # column name -> values, all lists equally long
Quoting = Literal[0, 3]  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE
Records = Iterator[tuple[int, list[str]]]  # (line on which the record starts, its cells)

DELIMITERS = (",", ";", "\t", "|")  # those that are found without being named, the likeliest first
SPELT = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
SAMPLE = 20  # records that must agree about the delimiter
INDEX = "Unnamed: 0"  # pandas' name of a first column without one


def csv_batches(
    path: Path, rows: int, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[Batch]:
    """Batches of at most `rows` records; every value is a string. DataError with path and line."""
    with open_text(path, encoding) as stream:
        found = delimiter_of(delimiter) or sniffed(path, encoding)
        yield from stream_batches(stream, path, rows, delimiter=found)


def tsv_batches(
    path: Path, rows: int, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[Batch]:
    """As csv_batches, with tabs; quote characters are text where the file does not quote its cells."""
    quoting = _tsv_quoting(path, encoding)
    with open_text(path, encoding) as stream:
        yield from stream_batches(
            stream, path, rows, delimiter=delimiter_of(delimiter) or "\t", quoting=quoting
        )


def stream_batches(
    stream: TextIO,
    name: str | Path,
    rows: int,
    *,
    delimiter: str | None = None,
    quoting: Quoting = csv.QUOTE_MINIMAL,
) -> Iterator[Batch]:
    """Batches of an open stream; commas stand between columns unless `delimiter` is set."""
    records = _records(stream, name, delimiter_of(delimiter) or ",", quoting)
    _, header = next(records)
    while chunk := list(itertools.islice(records, rows)):
        columns = zip(*(cells for _, cells in chunk), strict=True)
        yield {column: list(values) for column, values in zip(header, columns, strict=True)}


def delimiter_of(named: str | None) -> str | None:
    """The character that the user named, by itself or in words. ConfigError for anything else."""
    if named is None:
        return None
    found = SPELT.get(named.lower(), named)
    if len(found) != 1 or found in '"\r\n\0' or found.isalnum():
        raise ConfigError(f"{named!r} is not one character such as , ; | or tab", key="delimiter")
    return found


def sniffed(path: Path, encoding: str | None = None) -> str:
    """What stands between columns: the first of DELIMITERS by which the first records fit their header."""
    with open_text(path, encoding) as stream:
        lines = list(itertools.islice(stream, 5 * SAMPLE))
    return next((mark for mark in DELIMITERS if _agree(lines, mark)), ",")


def _agree(lines: list[str], mark: str) -> bool:
    """Whether lines are records of two columns or more, as wide as their header."""
    if not any(mark in line for line in lines):
        return False
    records = []
    try:
        for cells in csv.reader(lines, delimiter=mark, strict=True):
            records += [_trimmed(cells)] if cells else []
            if len(records) == SAMPLE:
                break
    except csv.Error:  # a quoted text goes on after these lines, or there are none
        pass
    return bool(records) and len(records[0]) > 1 and all(len(one) <= len(records[0]) for one in records)


def _trimmed(cells: list[str]) -> list[str]:
    while len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def csv_lines(path: Path) -> Iterator[int]:
    """The line on which each record starts, the header left out."""
    delimiter = sniffed(path, "latin-1")
    with open_loosely(path) as stream:
        yield from _lines(stream, delimiter, csv.QUOTE_MINIMAL)


def tsv_lines(path: Path) -> Iterator[int]:
    quoting = _tsv_quoting(path, None, loosely=True)
    with open_loosely(path) as stream:
        yield from _lines(stream, "\t", quoting)


def _lines(stream: TextIO, delimiter: str, quoting: Quoting) -> Iterator[int]:
    csv.field_size_limit(sys.maxsize)
    parser = csv.reader(stream, delimiter=delimiter, quoting=quoting)
    line, header = 1, True
    for cells in parser:
        if cells and not header:
            yield line
        header = header and not cells
        line = parser.line_num + 1


def _records(stream: TextIO, name: str | Path, delimiter: str, quoting: Quoting) -> Records:
    """The header first (checked), then every record, as wide as the header. Blank lines are skipped."""
    csv.field_size_limit(sys.maxsize)  # the default, 128 KiB, is shorter than a transcript
    parser = csv.reader(stream, delimiter=delimiter, quoting=quoting, strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in parser:
            if not cells:
                pass
            elif header is None:
                header = _header(cells, name, line)
                yield line, header
            elif len(cells) == len(header):
                yield line, cells
            else:
                yield line, _fitted(cells, header, name, line)
            line = parser.line_num + 1
    except csv.Error as error:
        raise DataError(_explained(error), path=name, row=line) from None
    if header is None:
        raise DataError("holds nothing but blank lines", path=name)


def _header(cells: list[str], name: str | Path, line: int) -> list[str]:
    """Column names: without those that a separator at the end adds, with pandas' for a first one without."""
    header = _trimmed([cells[0].removeprefix("\ufeff"), *cells[1:]])
    if any("\0" in column for column in header):
        raise DataError("holds NUL bytes: if it is UTF-16, name the encoding (--encoding utf-16)", path=name)
    if len(header) > 1 and not header[0].strip() and INDEX not in header:
        header[0] = INDEX
    check_header(header, name, line)
    return header


def _fitted(cells: list[str], header: list[str], name: str | Path, line: int) -> list[str]:
    """A record of another width than its header: only empty cells at the end may be too many."""
    width = len(header)
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        return cells[:width]
    raise DataError(_ragged(cells, header), path=name, row=line)


def check_header(header: Iterable[str], name: str | Path, row: int | None = None) -> None:
    """DataError for a column without a name or a name given twice."""
    seen: dict[str, int] = {}
    for position, column in enumerate(header, start=1):
        if not column.strip():
            raise DataError(f"column {position} has no name", path=name, row=row)
        first = seen.setdefault(column, position)
        if first != position:
            raise DataError(
                f"two columns have this name ({first} and {position})", path=name, row=row, column=column
            )


def _ragged(cells: list[str], header: list[str]) -> str:
    names = ", ".join(header) if len(header) <= 12 else f"{', '.join(header[:12])}, ..."
    found = f"expected {len(header)} columns ({names}), found {len(cells)}"
    if len(cells) > len(header):
        return f"{found}; a text with the separator in it needs quotes (--delimiter names another)"
    return found


def _explained(error: csv.Error) -> str:
    reason = str(error)
    if "unexpected end of data" in reason:
        return "a quoted text starts in this row and never ends: its closing quote is missing"
    if "expected after" in reason:
        return "text follows a closing quote; a quote inside a quoted text is written twice"
    if "new-line character" in reason:
        return "a line break inside a text that is not quoted"
    return f"cannot be read as a table: {reason}"


def _tsv_quoting(path: Path, encoding: str | None, *, loosely: bool = False) -> Quoting:
    """Some TSV files quote like CSV; in others, GLUE's among them, a quote is text. The cells show which.

    Quotes are text when every line has as many tabs as the first, and some cell begins with a quote without
    being a quoted cell.
    """
    with open_loosely(path) if loosely else open_text(path, encoding) as stream:
        width, bare = 0, False
        for line in stream:
            cells = line.rstrip("\r\n").split("\t")
            width = width or len(cells)
            if len(cells) not in (width, 1) or (len(cells) == 1 and cells[0] and width > 1):
                return csv.QUOTE_MINIMAL
            bare = bare or any(cell.startswith('"') and not _is_quoted(cell) for cell in cells)
    return csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL


def _is_quoted(cell: str) -> bool:
    return len(cell) >= 2 and cell.endswith('"') and '"' not in cell[1:-1].replace('""', "")
