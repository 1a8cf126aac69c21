"""Split: three fixed parts, and their fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset
from numpy.typing import NDArray

from stratune.data import assign
from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.labels import cells, infer_labels, label_counts
from stratune.data.read import row_of
from stratune.errors import ConfigError, DataError, choices
from stratune.files import write_json
from stratune.task import Task

PARTS = ("train", "val", "test")
FRACTIONS = (0.70, 0.15, 0.15)
HASHED = ("id", "text", "text_pair", "label")


@dataclass(frozen=True)
class Split:
    """Canonical tables, the task with its labels, and notes for the user on how the split was made."""

    train: Dataset
    val: Dataset
    test: Dataset
    fingerprint: str
    task: Task
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, Dataset]:
        return {"train": self.train, "val": self.val, "test": self.test}

    @property
    def sizes(self) -> dict[str, int]:
        return {part: len(table) for part, table in self.parts.items()}

    def balance(self) -> dict[str, dict[str, int]]:
        """Part -> label -> rows, labels in the task's order."""
        return {part: label_counts(table, self.task) for part, table in self.parts.items()}

    def to_dict(self) -> dict[str, Any]:
        ids = {part: _column(table, "id") for part, table in self.parts.items()}
        return {
            "fingerprint": self.fingerprint,
            "task": self.task.to_dict(),
            "parts": ids,
            "balance": self.balance(),
            "notes": list(self.notes),
        }

    def save(self, path: str | Path) -> None:
        """split.json"""
        write_json(path, self.to_dict())


def make_split(
    table: Dataset,
    task: Task,
    *,
    seed: int,
    fractions: Sequence[float] = FRACTIONS,
    val: Dataset | None = None,
    test: Dataset | None = None,
    assigned: Sequence[str] | None = None,
    paths: Mapping[str, str | Path] | None = None,
) -> Split:
    """Canonical tables -> Split. Rows keep their source order in each part.

    `val`, `test`: the user's own parts. `assigned`: the user's part for every row of `table`. Parts that
    neither gives are carved from train: stratified by label, or by whole groups when `task.group` is set.
    `paths` (by part) are for messages. DataError when a part would be empty, or a label of val or test never
    occurs in train.
    """
    check_fractions(fractions)
    own = {"val": val, "test": test}
    tables = {"train": table, **{part: rows for part, rows in own.items() if rows is not None}}
    origin, paths = _Origin(paths or {}), paths or {}
    if assigned is not None:
        numbers = np.asarray([PARTS.index(part) for part in assigned])
        tables |= _picked(table, numbers)
        origin = _Origin(paths, numbers)
    carved = [part for part in PARTS if part not in tables]
    if carved:
        shares = [fractions[PARTS.index(part)] for part in carved]
        tables |= _carve(tables["train"], task, carved, shares, seed, paths.get("train"))
    task = task.with_labels(task.labels or infer_labels([tables["train"]], task, paths.get("train")))
    _check_labels(tables, task, origin)
    return assemble(tables, task, _notes(tables, task, carved))


def assemble(tables: Mapping[str, Dataset], task: Task, notes: Sequence[str] = ()) -> Split:
    """A Split of these parts as they are, fingerprinted."""
    parts = {part: tables[part] for part in PARTS}
    return Split(**parts, fingerprint=fingerprint(parts), task=task, notes=tuple(notes))


def check_fractions(fractions: Sequence[float]) -> None:
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        found = ", ".join(str(share) for share in fractions)
        raise ConfigError(
            f"three positive shares (train, val, test) that add up to 1, not {found}", key="fractions"
        )


@dataclass(frozen=True)
class _Origin:
    """Where a part's rows came from: a file of its own, or one file whose rows `numbers` assigns to parts."""

    paths: Mapping[str, str | Path]
    numbers: NDArray[np.int64] | None = None

    def error(self, message: str, part: str, index: int, column: str) -> DataError:
        path = self.paths.get(part, part)
        if self.numbers is not None:
            found = np.flatnonzero(self.numbers == PARTS.index(part))
            if len(found):
                path, index = self.paths.get("train", "train"), int(found[index])
        return DataError(message, path=path, row=row_of(path, index), column=column)


def _carve(
    table: Dataset, task: Task, carved: list[str], shares: list[float], seed: int, path: str | Path | None
) -> dict[str, Dataset]:
    """Take `carved` parts (`shares` of the table each) out of `table`, which becomes train."""
    fractions = [1 - sum(shares), *shares]
    labels = task.target.strata(cells(table))
    if task.group is not None:
        parts = assign.grouped(labels, _column(table, "group"), fractions, seed)
    else:
        parts = assign.stratified(labels, fractions, seed)
    names = ("train", *carved)
    for number, part in enumerate(names):
        if not (parts == number).any():
            unit = "groups" if task.group is not None else "rows of each label"
            message = (
                f"too few {unit} to share out: {part} would be empty; give more, or your own {part} file"
            )
            raise DataError(message, path=path)
    return _picked(table, parts, names)


def _picked(table: Dataset, parts: NDArray[np.int64], names: Sequence[str] = PARTS) -> dict[str, Dataset]:
    """One table for each part that has rows, in source order."""
    arrow = to_arrow(table)
    found = {int(number) for number in np.unique(parts)}
    return {
        name: to_dataset(arrow.filter(pa.array(parts == n))) for n, name in enumerate(names) if n in found
    }


def _check_labels(tables: Mapping[str, Dataset], task: Task, origin: _Origin) -> None:
    members = task.target.members
    train = {name for cell in set(cells(tables["train"])) for name in members(cell)}
    for part in ("val", "test"):
        for index, cell in enumerate(cells(tables[part])):
            if unknown := [name for name in members(cell) if name not in train]:
                message = f"{choices(unknown[0], sorted(train))}, the labels of the training rows"
                raise origin.error(message, part, index, task.label)
    never = [label for label in task.labels if label not in train]
    if never:
        raise DataError(
            f"no training row has the label {never[0]!r}", path=origin.paths.get("train"), column=task.label
        )


def _notes(tables: Mapping[str, Dataset], task: Task, carved: Sequence[str]) -> list[str]:
    """Labels with too few rows to be in every part."""
    notes = []
    for part in carved:
        missing = [label for label, count in label_counts(tables[part], task).items() if count == 0]
        if missing:
            notes.append(f"{part} has no row of {', '.join(missing)}: too few to be in every part")
    return notes


def subsample(table: Dataset, size: int | float, seed: int, task: Task | None = None) -> Dataset:
    """Rows drawn at random, each label in proportion and none lost while there is room; source order is kept.

    `size`: a fraction in (0, 1] when a float, a number of rows when an int (all rows when there are fewer).
    """
    if isinstance(size, bool) or size <= 0 or (isinstance(size, float) and size > 1):
        raise ConfigError(
            f"a fraction above 0 up to 1.0, or a whole number of rows, not {size}", key="subsample"
        )
    total = max(1, round(size * len(table))) if isinstance(size, float) else size
    if total >= len(table):
        return table
    piles = assign.rows_by_name((task or Task()).target.strata(cells(table)))
    generator, keep = np.random.default_rng(seed), np.zeros(len(table), dtype=bool)
    for rows, count in zip(piles, assign.apportioned([len(rows) for rows in piles], total), strict=True):
        keep[generator.permutation(rows)[:count]] = True
    return to_dataset(to_arrow(table).filter(pa.array(keep)))


def fingerprint(parts: Mapping[str, Dataset]) -> str:
    """sha256 of part, id, text, pair and label of every row in order; chunking does not matter."""
    digest = hashlib.sha256()
    for part in PARTS:
        table = to_arrow(parts[part])
        for name in HASHED:
            if name in table.column_names:
                digest.update(f"{part}/{name}/{table.num_rows}".encode())
                digest.update(_column_digest(table.column(name)))
    return digest.hexdigest()


def _column_digest(column: pa.ChunkedArray) -> bytes:
    """Lengths and bytes of the strings, straight from Arrow's buffers: a gigabyte takes a second or two."""
    lengths, data = hashlib.sha256(), hashlib.sha256()
    for chunk in column.chunks:
        if not len(chunk):
            continue  # may have no buffers at all
        width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
        _, offsets_buffer, bytes_buffer = chunk.buffers()
        offsets = np.frombuffer(offsets_buffer, dtype=width)[chunk.offset : chunk.offset + len(chunk) + 1]
        lengths.update(np.diff(offsets).astype("<i8").tobytes())
        if bytes_buffer is not None:
            data.update(memoryview(bytes_buffer)[int(offsets[0]) : int(offsets[-1])])
    return lengths.digest() + data.digest()


def _column(table: Dataset, name: str) -> list[Any]:
    values: list[Any] = to_arrow(table).column(name).to_pylist()
    return values
