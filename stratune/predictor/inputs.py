"""What a user may hand to `Predictor.predict`: all that means texts, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from stratune.data.arrow import is_missing
from stratune.errors import DataError, choices
from stratune.task import Task

Texts = tuple[list[str], list[str] | None]  # (N,) texts, and their pairs for a task of pairs
UNORDERED_OR_NONE = (bytes, bytearray, set, frozenset, PurePath)  # no order, or no texts
ACCEPTED = "a text, a list of texts, a DataFrame, a dict of columns, a Dataset, a Series or an array of texts"


def texts_of(given: Any, task: Task) -> Texts:
    """Texts and pairs of the rows that `given` holds; see `Predictor.predict`. Raises DataError."""
    if task.text_pair is not None and isinstance(given, tuple) and _are_texts(given) and len(given) == 2:
        return _rows([given], task)
    if isinstance(given, str):
        return _rows([given], task)
    if (columns := _columns(given, task)) is not None:
        return columns
    if isinstance(given, np.ndarray):
        given = _array_rows(given, task)
    if isinstance(given, UNORDERED_OR_NONE) or not isinstance(given, Iterable):
        raise DataError(f"expected {ACCEPTED}, found {_described(given)}")
    return _rows(given, task)


def _columns(given: Any, task: Task) -> Texts | None:
    """Of a table, or of one row with names; None for anything else."""
    if _is(given, "pandas", "DataFrame") or _is(given, "datasets", "Dataset"):
        names = list(given.columns) if hasattr(given, "columns") else given.column_names
        return _of_columns(given, names, task)
    if _is(given, "pandas", "Series"):
        if task.text in given.index and isinstance(given[task.text], str):
            return _rows([given], task)  # a row of a frame
        return None if task.text_pair is not None else (_cells(list(given), task.text), None)
    if not isinstance(given, Mapping):
        return None
    if _is(given, "datasets", "DatasetDict"):
        raise DataError(f"expected {ACCEPTED}, found a DatasetDict: name one part ({', '.join(given)})")
    value = given.get(task.text)
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return _rows([given], task)
    return _of_columns(given, list(given), task)


def _of_columns(table: Any, names: Sequence[Any], task: Task) -> Texts:
    found = []
    for name in (task.text, task.text_pair):
        if name is None:
            continue
        if name not in names:
            raise DataError(f"no such column: {choices(name, map(str, names))}")
        found.append(_cells(list(table[name]), name))
    if len({len(column) for column in found}) > 1:
        raise DataError(f"columns differ in length: {' and '.join(str(len(column)) for column in found)}")
    return found[0], found[1] if task.text_pair is not None else None


def _cells(values: Sequence[Any], column: str) -> list[str]:
    return [_cell(value, number, column) for number, value in enumerate(values, start=1)]


def _cell(value: Any, number: int, column: str | None) -> str:
    """A cell of a table: what is missing is an empty text, as in a file."""
    if column is not None and not isinstance(value, str) and is_missing(value):
        return ""
    if not isinstance(value, str):
        raise DataError(f"expected a text, found {_described(value)}", row=number, column=column)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            why = "holds half a character (a lone surrogate, \\ud800 to \\udfff)"
            raise DataError(why, row=number, column=column) from None
    return str(value)


def _rows(rows: Iterable[Any], task: Task) -> Texts:
    pairs = [_row(row, number, task) for number, row in enumerate(rows, start=1)]
    texts = [first for first, _ in pairs]
    return texts, [second for _, second in pairs] if task.text_pair is not None else None


def _row(row: Any, number: int, task: Task) -> tuple[str, str]:
    if isinstance(row, str) and task.text_pair is None:
        return _cell(row, number, None), ""
    if isinstance(row, (tuple, list)) and task.text_pair is not None and len(row) == 2:
        return _cell(row[0], number, None), _cell(row[1], number, None)
    if hasattr(row, "get") and hasattr(row, "keys"):
        wanted = [task.text, *([task.text_pair] if task.text_pair is not None else [])]
        for column in wanted:
            if column not in row:
                names = ", ".join(map(str, row.keys()))
                raise DataError(f"missing; the row has {names}", row=number, column=column)
        cells = [_cell(row[column], number, column) for column in wanted]
        return cells[0], cells[1] if task.text_pair is not None else ""
    shape = "a pair of texts" if task.text_pair is not None else "a text"
    raise DataError(f"expected {shape} or a mapping of columns, found {type(row).__name__}", row=number)


def _array_rows(array: np.ndarray[Any, Any], task: Task) -> Any:
    """(N,) texts, or (N, 2) pairs; one text of an array without axes."""
    pairs = array.ndim == 2 and array.shape[1] == 2 and task.text_pair is not None
    if array.ndim > 1 and not pairs:
        wanted = "(N, 2) for pairs" if task.text_pair is not None else "(N,)"
        raise DataError(f"expected an array of texts of shape {wanted}, found {array.shape}")
    return [array.item()] if array.ndim == 0 else array.tolist()


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _is(given: Any, library: str, name: str) -> bool:
    """Whether it is of a library's class; a library that nobody has loaded has made nothing."""
    module = sys.modules.get(library)
    return module is not None and isinstance(given, getattr(module, name))


def _described(value: Any) -> str:
    if isinstance(value, PurePath):
        return f"the path {value}: `stratune predict` reads files"
    if isinstance(value, (set, frozenset)):
        return "a set, which has no order"
    return f"{value!r:.40} ({type(value).__name__})"
