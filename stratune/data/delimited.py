"""CSV and TSV, strictly: a row that does not fit its header is an error with its line, never a guess.

The standard library's parser, not Arrow's: only it knows on which line of the file a record starts.
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

from stratune.data.text_files import open_loosely, open_text
from stratune.errors import DataError

Batch = dict[str, list[Any]]  # column name -> values, all lists equally long
Quoting = Literal[0, 3]  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE
Records = Iterator[tuple[int, list[str]]]  # (line on which the record starts, its cells)


def csv_batches(path: Path, rows: int, encoding: str | None = None) -> Iterator[Batch]:
    """Batches of at most `rows` records; every value is a string. DataError with path and line."""
    with open_text(path, encoding) as stream:
        yield from stream_batches(stream, path, rows)


def tsv_batches(path: Path, rows: int, encoding: str | None = None) -> Iterator[Batch]:
    """As csv_batches, with tabs; quote characters are text where the file does not quote its cells."""
    quoting = _tsv_quoting(path, encoding)
    with open_text(path, encoding) as stream:
        yield from stream_batches(stream, path, rows, delimiter="\t", quoting=quoting)


def stream_batches(
    stream: TextIO, name: str | Path, rows: int, *, delimiter: str = ",", quoting: Quoting = csv.QUOTE_MINIMAL
) -> Iterator[Batch]:
    records = _records(stream, name, delimiter, quoting)
    _, header = next(records)
    while chunk := list(itertools.islice(records, rows)):
        columns = zip(*(cells for _, cells in chunk), strict=True)
        yield {column: list(values) for column, values in zip(header, columns, strict=True)}


def csv_lines(path: Path) -> Iterator[int]:
    """The line on which each record starts, the header left out."""
    with open_loosely(path) as stream:
        records = itertools.islice(_records(stream, path, ",", csv.QUOTE_MINIMAL), 1, None)
        yield from (line for line, _ in records)


def tsv_lines(path: Path) -> Iterator[int]:
    quoting = _tsv_quoting(path, None, loosely=True)
    with open_loosely(path) as stream:
        records = itertools.islice(_records(stream, path, "\t", quoting), 1, None)
        yield from (line for line, _ in records)


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
                header = cells
                check_header(header, name, line)
                yield line, cells
            elif len(cells) != len(header):
                raise DataError(_ragged(cells, header), path=name, row=line)
            else:
                yield line, cells
            line = parser.line_num + 1
    except csv.Error as error:
        raise DataError(_explained(error), path=name, row=line) from None
    if header is None:
        raise DataError("holds nothing but blank lines", path=name)


def check_header(header: list[str], name: str | Path, row: int | None = None) -> None:
    """DataError for a column without a name or a name given twice."""
    for position, column in enumerate(header, start=1):
        if not column.strip():
            raise DataError(f"column {position} has no name", path=name, row=row)
        if column in header[: position - 1]:
            first = header.index(column) + 1
            raise DataError(
                f"two columns have this name ({first} and {position})", path=name, row=row, column=column
            )


def _ragged(cells: list[str], header: list[str]) -> str:
    found = f"expected {len(header)} columns ({', '.join(header)}), found {len(cells)}"
    if len(cells) > len(header):
        return f"{found}; a text that contains the separator needs quotes around it"
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
