"""Which column of a score sheet names the documents: the one that means most of those that were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stratune.errors import DataError
from stratune.target.numbers import number
from stratune.transcript.document_keys import Documents
from stratune.transcript.records import NAMES

# Columns that may name documents, the likeliest first; case, blanks, - and _ do not matter.
KEYS = (
    *NAMES["document"],
    *("file", "filename", "file_path", "path", "transcript", "transcript_file", "transcript_name"),
    *("recording", "audio", "audio_file", "video", "id", "call", "call_id", "interview", "interview_id"),
    *("session", "session_id", "meeting", "meeting_id", "conversation", "dialogue", "episode", "episode_id"),
    *("case", "case_id", "name", "title"),
)
LEAST = 0.5  # share of the documents that a column of another name must mean


@dataclass(frozen=True)
class KeyColumn:
    """`documents` (N,): what each row's cell means, None where it is no document; `cells` (N,) as written."""

    name: str
    cells: Sequence[str]
    documents: Sequence[str | None]
    note: str | None  # None: nothing that a reader would not expect

    @property
    def count(self) -> int:
        """Documents that have a row."""
        return len(set(self.documents) - {None})


def plausible(names: Sequence[str]) -> list[str]:
    """Those of `names` that are called like columns of documents, the likeliest first."""
    order = {_letters(key): place for place, key in reversed(list(enumerate(KEYS)))}
    known = [name for name in names if _letters(name) in order]
    return sorted(known, key=lambda name: order[_letters(name)])


def key_column(
    columns: Mapping[str, Sequence[str]], documents: Documents, path: str | Path, named: str | None = None
) -> KeyColumn:
    """Of `columns` (name -> N cells as text, "" where empty), or the one that the user `named`.

    Among columns that are called like those of documents, the one that means most documents; where none of
    them means any, another one that means at least half. DataError where two mean equally many and not the
    same in each row, or there is no such column.
    """
    if named is not None:
        return _met(named, columns[named], documents)
    likely = plausible(list(columns))
    met = [_met(name, columns[name], documents) for name in likely]
    if not any(one.count for one in met):
        others = [
            _met(name, cells, documents)
            for name, cells in columns.items()
            if name not in likely and not _is_of_numbers(cells)
        ]
        met = [one for one in others if one.count >= LEAST * len(documents.names)] or met
    if not met:
        known, found = ", ".join(KEYS[:9]), ", ".join(columns)
        why = f"has no column of documents ({known}, ...) among {found}: name it, as in document=<column>"
        raise DataError(why, path=path)
    best = max(one.count for one in met)
    first, *ties = [one for one in met if one.count == best]
    if best and (other := next((one for one in ties if _apart(first, one)), None)) is not None:
        names = ", ".join(repr(one.name) for one in (first, *ties))
        why = f"columns {names} each name {best:,} documents, but {first.name!r} and {other.name!r} not the"
        raise DataError(f"{why} same in every row: name one, as in document={first.name}", path=path)
    return first


def _met(name: str, cells: Sequence[str], documents: Documents) -> KeyColumn:
    meant = {cell: documents.find(cell) for cell in set(cells)}
    found = [meant[cell] for cell in cells]
    count, total = len(set(found) - {None}), len(documents.names)
    spelt = sorted(cell for cell, document in meant.items() if document is not None and cell != document)
    note = None
    if spelt or name not in NAMES["document"]:
        note = f"rows are joined by {name!r}, which names {count:,} of {total:,} documents"
    if spelt:
        note = f"{note}; {len(spelt):,} in another spelling, such as {spelt[0]!r} for {meant[spelt[0]]!r}"
    return KeyColumn(name, cells, found, note)


def _apart(one: KeyColumn, other: KeyColumn) -> bool:
    """Whether some row means different documents by the two columns."""
    return any(a != b for a, b in zip(one.documents, other.documents, strict=True))


def _is_of_numbers(cells: Sequence[str]) -> bool:
    """Scores may look like the documents 1, 2 and 3."""
    return all(number(cell) is not None for cell in cells if cell)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
