"""When each row is of: a column of dates, date-times or numbers, read strictly.

A date that could be read in two ways (03/04/2019) would put rows on the wrong side of a split without a word.
So one form is read in all rows: ISO 8601 dates (2019-03-04, 2019-03), ISO 8601 date-times, or numbers (years
are numbers).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from stratune.data.arrow import as_text, is_missing
from stratune.data.issue import counted
from stratune.data.read import cells_of, row_of
from stratune.errors import DataError
from stratune.target.numbers import number

NUMBERS, MONTHS, DATES, TIMES, ZONED = "numbers", "months", "dates", "date-times", "date-times with an offset"
EXPECTED = "expected 2019-03-04, 2019-03, 2019-03-04T10:30, or a number such as a year"
_WHOLE = re.compile(r"[+-]?\d+")
_MONTH = re.compile(r"\d{4}-\d{2}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-]\d{2}:?\d{2}))?")


@dataclass(frozen=True)
class Moments:
    """Of N rows: `order` (N,), whole numbers that are equal for equal moments and grow with time; of each of
    these numbers its name, as the first row that has it writes it, and its value, by which they are sorted.
    """

    column: str
    form: str  # what all of them are: NUMBERS, DATES, ...
    order: NDArray[np.int64]
    names: tuple[str, ...]
    values: tuple[Any, ...]


def moments_of(raw: Dataset, column: str, path: str | Path, form: str | None = None) -> Moments:
    """Of each row of a table as it was read. `form`: the one that other rows have.

    Raises DataError for a column that is not there, a row without a value, and a value in no known form, or
    in another form than the rows before it.
    """
    cells = cells_of(raw, column, path)
    missing = [row for row, cell in enumerate(cells) if is_missing(cell) or not str(cell).strip()]
    if missing:
        found = counted(len(missing), "row has", "rows have")
        why = f"{found} no moment here, such as this one: a split by time has no place for them"
        raise DataError(why, path=path, row=row_of(path, missing[0]), column=column)
    found_in: dict[Any, int] = {}  # value -> its first row
    values = []
    for row, cell in enumerate(cells):
        read = _read(cell)
        if read is None or (form is not None and read[0] != form):
            why = EXPECTED if read is None else f"other rows have {form}: write all of them in one form"
            shown = ascii(as_text(cell)) if read is None else repr(as_text(cell))
            raise DataError(f"found {shown}; {why}", path=path, row=row_of(path, row), column=column)
        form = read[0]
        found_in.setdefault(read[1], row)
        values.append(read[1])
    distinct = sorted(found_in)
    places = {value: place for place, value in enumerate(distinct)}
    return Moments(
        column,
        form or NUMBERS,
        np.asarray([places[value] for value in values], dtype=np.int64),
        tuple((as_text(cells[found_in[value]]) or "").strip() for value in distinct),
        tuple(distinct),
    )


def _read(cell: Any) -> tuple[str, Any] | None:
    """(form, a value that sorts by time); None of what is no moment."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, datetime):
        return (TIMES if cell.tzinfo is None else ZONED), cell
    if isinstance(cell, date):
        return DATES, cell
    if isinstance(cell, (int, float, Decimal)):
        return (NUMBERS, cell) if np.isfinite(float(cell)) else None
    return _written(cell.strip()) if isinstance(cell, str) else None


def _written(text: str) -> tuple[str, Any] | None:
    try:
        if _MONTH.fullmatch(text):
            return MONTHS, date.fromisoformat(f"{text}-01")
        if _DATE.fullmatch(text):
            return DATES, date.fromisoformat(text)
        if _TIME.fullmatch(text):
            found = datetime.fromisoformat(text.replace(",", ".").replace(" +", "+").replace(" -", "-"))
            return (TIMES if found.tzinfo is None else ZONED), found
    except ValueError:  # the 30th of February
        return None
    if _WHOLE.fullmatch(text) and text.isascii():
        return NUMBERS, int(text)  # nanoseconds since 1970 have no double of their own
    value = number(text) if text.isascii() and "_" not in text else None
    return None if value is None else (NUMBERS, value)


def rows_until(moments: Moments, shares: Sequence[float], error: Callable[[str], DataError]) -> list[int]:
    """The number in `order` that ends each part but the last, parts in order of time: each end is where the
    rows up to it come nearest to their share, and equal moments are in one part.

    `shares` of the parts sum to 1. Raises `error` where there are fewer moments than parts.
    """
    upto = np.cumsum(np.bincount(moments.order))
    moments_there, parts = len(upto), len(shares)
    if moments_there < parts:
        found = counted(moments_there, "different moment", "different moments")
        raise error(f"{found} for {parts} parts: rows of one moment stay in one part")
    ends: list[int] = []
    for part, wanted in enumerate(np.cumsum(shares)[:-1] * upto[-1]):
        first = ends[-1] + 1 if ends else 0
        last = moments_there - (parts - part)
        ends.append(first + int(np.abs(upto[first : last + 1] - wanted).argmin()))
    return ends
