"""Excel workbooks (.xlsx): the first sheet, whose first row names the columns. Needs openpyxl."""

from __future__ import annotations

import datetime
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stratune.data.delimited import INDEX, Batch, check_header
from stratune.errors import DataError, boundary


def excel_batches(
    path: Path, rows: int, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[Batch]:
    """Batches of at most `rows` records, cells with their types, of formulas the values that were saved.

    DataError without openpyxl, for what is no workbook, and for a cell in a column without a name.
    """
    records = _records(path)
    header = next(records, None)
    if header is None:
        raise DataError("its first sheet is empty", path=path)
    names = _names(header, path)
    width = len(names)
    number = 1
    while chunk := list(itertools.islice(records, rows)):
        for cells in chunk:
            number += 1
            if any(cell is not None for cell in cells[width:]):
                raise DataError("a cell stands in a column without a name", path=path, row=number)
        filled = [cells[:width] for cells in chunk if any(cell is not None for cell in cells)]
        padded = [[*cells, *[None] * (width - len(cells))] for cells in filled]
        if padded:
            yield {name: [cells[k] for cells in padded] for k, name in enumerate(names)}


def _records(path: Path) -> Iterator[list[Any]]:
    try:
        import openpyxl
    except ImportError:
        why = "reading .xlsx needs openpyxl: pip install 'stratune[xlsx]', or save the sheet as CSV"
        raise DataError(why, path=path) from None
    failed = boundary(lambda why: DataError(f"cannot be read as an Excel workbook: {why}", path=path))
    with failed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that it does not know
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            found = [[_value(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        finally:
            book.close()
    yield from found


def _value(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, (datetime.date, datetime.time)) else cell


def _names(header: list[Any], path: Path) -> list[str]:
    names = ["" if cell is None else str(cell) for cell in header]
    while len(names) > 1 and not names[-1].strip():
        names.pop()
    if len(names) > 1 and not names[0].strip() and INDEX not in names:
        names[0] = INDEX
    check_header(names, path, 1)
    return names
