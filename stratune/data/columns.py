"""canonical(): the user's columns, checked and as strings; single ratings as lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset

from stratune.data.annotations import read_annotations
from stratune.data.arrow import as_text, to_arrow, to_dataset
from stratune.data.lists import listed
from stratune.data.pieces import COLUMN as PIECES
from stratune.data.pieces import pieces_of
from stratune.data.raters import COLUMN, annotation_columns
from stratune.data.read import PART_NAMES, row_of
from stratune.errors import ConfigError, DataError, choices
from stratune.target.label_sets import SEPARATOR
from stratune.task import Task

NO_LABEL = "no label"


def canonical(
    raw: Dataset,
    task: Task,
    path: str | Path,
    *,
    labelled: bool = True,
    id_prefix: str = "",
    first: int = 0,
    records: Sequence[int] | None = None,
    levels: Sequence[str] = (),
) -> Dataset:
    """The columns that `task` names, as strings without nulls, in the row order of `raw`.

    A missing text is "". Labels are checked against `task.labels` unless that is empty. `path` is for
    messages; `first` is the number of records before this table when it is one batch of a stream,
    `records` are the places (N,) of its rows where some of the file were left out. `levels`: how labels are
    spelt, where `task.labels` is empty: 2.0 is the level 2. Without an id column
    the id is `id_prefix` and the record's number from 1. DataError gives file, row and column.
    """
    source = _Source(raw, path, first, records)
    columns = {"id": source.ids(task.id, id_prefix), "text": source.texts(task.text)}
    if task.text_pair is not None:
        columns["text_pair"] = source.texts(task.text_pair)
    if labelled:
        columns["label"] = source.labels(task)
    if task.group is not None and labelled:
        columns["group"] = source.names(task.group, "no group")
    if task.annotations is not None and labelled:
        columns[COLUMN] = source.ratings(task)
    if labelled:
        columns |= _in_one_spelling(columns, task, levels)
        if (pieces := pieces_of(source.table, columns["text"])) is not None:
            columns[PIECES] = pieces
    return to_dataset(pa.table(columns), path)


def part_column(raw: Dataset, column: str, path: str | Path) -> list[str]:
    """train, val or test for every row, from a column that says so (valid, validation, dev are val)."""
    source = _Source(raw, path, 0)
    named = source.names(column, "no part").to_pylist()
    known = {name: PART_NAMES.get(name.strip().lower()) for name in set(named)}
    parts = [known[name] for name in named]
    if None in parts:
        index = parts.index(None)
        raise source.error(choices(named[index], PART_NAMES), column, index)
    return [part for part in parts if part is not None]


def _in_one_spelling(
    columns: Mapping[str, pa.ChunkedArray | pa.Array], task: Task, levels: Sequence[str]
) -> dict[str, pa.Array]:
    """Labels and ratings that are known in another spelling; {} where there are none."""
    found = set(columns["label"].unique().to_pylist())
    if COLUMN in columns and not task.target.is_numeric:
        found |= set(pc.list_flatten(columns[COLUMN]).unique().to_pylist()) - {None}
    names = task.target.respelt(found, task.labels or levels)
    if not names:
        return {}
    cells = columns["label"].to_pylist()
    changed = {"label": pa.array([names.get(cell, cell) for cell in cells], pa.string())}
    if COLUMN in columns:
        ratings = [[names.get(one, one) for one in given] for given in columns[COLUMN].to_pylist()]
        changed[COLUMN] = pa.array(ratings, columns[COLUMN].type)
    return changed


class _Source:
    """A raw table and the place its rows came from."""

    def __init__(
        self, raw: Dataset, path: str | Path, first: int, records: Sequence[int] | None = None
    ) -> None:
        self.table, self.path = to_arrow(raw), path
        self.records = range(first, first + self.table.num_rows) if records is None else records
        self.features = raw.features

    def error(self, message: str, column: str, index: int) -> DataError:
        return DataError(message, path=self.path, row=row_of(self.path, self.records[index]), column=column)

    def texts(self, column: str) -> pa.ChunkedArray:
        values = self._column(column)
        if pa.types.is_null(values.type) or _is_all_nan(values):
            values = pa.chunked_array([pa.nulls(len(values), pa.string())])
        if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
            first = next(i for i, value in enumerate(values) if value.is_valid)
            found = f"{as_text(values[first].as_py())!r} ({values.type})"
            raise self.error(f"expected text, found {found}", column, first)
        return pc.fill_null(values, "") if values.null_count else values

    def names(self, column: str, missing: str) -> pa.ChunkedArray:
        """Short values as strings. DataError where one is missing: null, NaN, "" or a hidden label."""
        values = self._column(column)
        if pa.types.is_nested(values.type):
            several = "; for several labels a row use --kind multilabel" if missing == NO_LABEL else ""
            raise self.error(f"expected one value a row, found {values.type}{several}", column, 0)
        if pa.types.is_string(values.type):
            names = pc.if_else(pc.equal(values, ""), None, values)
        else:  # name each distinct value once; one chunk, as every chunk would carry its own dictionary
            encoded = pc.dictionary_encode(pa.concat_arrays(values.chunks))
            distinct = pa.array(self._named(column, encoded), pa.string())
            names = pa.chunked_array([distinct.take(encoded.indices)])
        if names.null_count:
            index = pc.index(pc.is_null(names), True).as_py()
            raise self.error(f"this row has {missing}", column, index)
        return names

    def labels(self, task: Task) -> pa.ChunkedArray:
        """A name, a number, or sorted names joined by commas, as the kind of task has it."""
        column, target = task.label, task.target
        cells = self._sets(column) if target.several_labels else self.names(column, NO_LABEL)
        problems = {cell: target.problem(cell) for cell in cells.unique().to_pylist()}
        wrong = {cell: why for cell, why in problems.items() if why is not None}
        if wrong:
            index = min(pc.index(cells, cell).as_py() for cell in wrong)
            raise self.error(wrong[cells[index].as_py()], column, index)
        return cells

    def ratings(self, task: Task) -> pa.Array:
        """A list of ratings for each row: numbers, or label names."""
        names = annotation_columns(task)
        if not names:
            raise ConfigError(f"{task.annotations!r} names no column", key="task.annotations")
        cells = {name: self._column(name).to_pylist() for name in names}
        return read_annotations(cells, task, self.error)

    def _sets(self, column: str) -> pa.ChunkedArray:
        """Labels of each row, from a list, a list as text, or names with commas between; none is allowed."""
        values, class_names = self._column(column), _class_names(self.features[column])
        found = []
        for index, cell in enumerate(values.to_pylist()):
            named = (_name(one, class_names) for one in _members(cell))
            names = sorted({name.strip() for name in named if name is not None} - {""})
            if bad := [name for name in names if SEPARATOR in name]:
                raise self.error(
                    f"label {bad[0]!r} holds {SEPARATOR!r}, which stands between labels", column, index
                )
            found.append(SEPARATOR.join(names))
        return pa.chunked_array([pa.array(found, pa.string())])

    def ids(self, column: str | None, prefix: str) -> pa.ChunkedArray | pa.Array:
        if column is None:
            return pa.array([f"{prefix}{record + 1}" for record in self.records], pa.string())
        names = self.names(column, "no id")
        if pc.count_distinct(names).as_py() < len(names):
            raise self._repeated(column, names.to_pylist())
        return names

    def _repeated(self, column: str, names: list[str]) -> DataError:
        seen: dict[str, int] = {}
        for index, name in enumerate(names):
            if name in seen:
                before = row_of(self.path, self.records[seen[name]])
                return self.error(f"the id {name!r} is already in row {before}", column, index)
            seen[name] = index
        raise AssertionError("called for ids that repeat")

    def _named(self, column: str, encoded: pa.DictionaryArray) -> list[str | None]:
        """Names of the distinct values; "" and a hidden label (-1 of a ClassLabel) are missing."""
        class_names = _class_names(self.features[column])
        return [_name(value, class_names) or None for value in encoded.dictionary.to_pylist()]

    def _column(self, column: str) -> pa.ChunkedArray:
        names = self.table.column_names
        if column not in names:
            raise DataError(f"no such column: {choices(column, names)}{_separator(names)}", path=self.path)
        values = self.table.column(column)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if pa.types.is_string_view(values.type):
            return values.cast(pa.string())
        if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
            return self._decoded(values, column)
        return values

    def _decoded(self, values: pa.ChunkedArray, column: str) -> pa.ChunkedArray:
        """Bytes as text, which must be UTF-8."""
        try:
            return values.cast(pa.string() if pa.types.is_binary(values.type) else pa.large_string())
        except pa.ArrowInvalid:
            for index, value in enumerate(values.to_pylist()):
                try:
                    (value or b"").decode()
                except UnicodeDecodeError:
                    raise self.error(
                        f"expected text, found bytes that are not UTF-8: {value!r}", column, index
                    ) from None
            raise


def _is_all_nan(values: pa.ChunkedArray) -> bool:
    return pa.types.is_floating(values.type) and pc.all(pc.is_nan(values)).as_py() is not False


def _class_names(feature: Any) -> Sequence[str] | None:
    """Of a ClassLabel column, or of lists of them."""
    while not isinstance(feature, ClassLabel) and (inner := getattr(feature, "feature", None)) is not None:
        feature = inner
    return feature.names if isinstance(feature, ClassLabel) else None


def _name(value: Any, class_names: Sequence[str] | None) -> str | None:
    """A value as a label; None: missing, or hidden (-1 of a ClassLabel)."""
    if class_names is None or not isinstance(value, int):
        return as_text(value)
    return None if value < 0 else str(class_names[value])


def _members(cell: Any) -> Sequence[Any]:
    """What a cell of label sets holds."""
    if isinstance(cell, list):
        return cell
    text = as_text(cell) or ""
    found = listed(text)
    return text.split(SEPARATOR) if found is None else found


def _separator(names: list[str]) -> str:
    """A European Excel writes semicolons and calls it CSV."""
    found = next((mark for mark in (";", "\t", "|") if len(names) == 1 and mark in names[0]), None)
    return f"; the header looks separated by {found!r}: name it with --delimiter {found!r}" if found else ""
