"""A score sheet among the transcripts of a folder: a table that names the other files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stratune.data.read import iter_batches
from stratune.errors import DataError
from stratune.transcript.document_keys import Documents
from stratune.transcript.records import Columns, held_fields, word

SUFFIXES = (".csv", ".tsv", ".xlsx", ".parquet")
ROWS = 1000  # of a table that are looked at
LEAST = 0.5  # of the cells of a column that must name other files, or of these that must be named


def sheets_among(
    files: Sequence[Path], columns: Columns | None = None, encoding: str | None = None
) -> list[Path]:
    """Those of a folder's files that are score sheets: a column names half of the other files, or half of its
    cells name some; and no other column is called like the text of turns, or as `columns` call it.

    What cannot be read as a table is none; whoever reads it says why.
    """
    tables = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not tables or len(tables) == len(files):
        return []
    names = Documents(file.stem for file in files if file not in tables)
    return [file for file in tables if _is_sheet(_start(file, encoding), names, columns)]


def the_sheet_of(
    folder: Path, files: Sequence[Path], columns: Columns | None = None, encoding: str | None = None
) -> Path | None:
    """The score sheet that stands in a folder; None where there is none. DataError for several."""
    found = sheets_among(files, columns, encoding)
    if len(found) > 1:
        shown = ", ".join(file.relative_to(folder).as_posix() for file in found)
        raise DataError(f"holds several score sheets ({shown}): name the one with the labels", path=folder)
    return found[0] if found else None


def _start(file: Path, encoding: str | None) -> dict[str, list[Any]]:
    """The first rows by column; none of what is no table."""
    try:
        return next(iter_batches(file, ROWS, encoding=encoding), {})
    except DataError:
        return {}


def _is_sheet(table: dict[str, list[Any]], names: Documents, columns: Columns | None) -> bool:
    keys = [name for name, cells in table.items() if _named(map(word, cells), names)]
    text = held_fields(list(table), columns).get("text")
    return bool(keys) and text in (None, *keys)


def _named(cells: Iterable[str], names: Documents) -> bool:
    filled = [cell for cell in cells if cell]
    found = [name for name in map(names.find, filled) if name is not None]
    enough = len(found) >= LEAST * len(filled) or len(set(found)) >= LEAST * len(names.names)
    return bool(found) and enough
