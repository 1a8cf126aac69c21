"""Turns as records: the key or column of each field, and records to transcripts."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stratune.data.arrow import as_text
from stratune.errors import ConfigError, DataError, choices
from stratune.transcript.clock import parse_time
from stratune.transcript.turn import Draft, Transcript

# Names of each field, the likeliest first; case does not matter.
NAMES: dict[str, tuple[str, ...]] = {
    "document": ("document", "doc_id", "document_id", "dialogue_id", "conversation_id", "transcript_id"),
    "turn": ("turn", "turn_id", "index"),
    "speaker": ("speaker", "speaker_name"),
    "role": ("role",),
    "start": ("start", "start_time"),
    "end": ("end", "stop", "end_time"),
    "section": ("section",),
    "text": ("text", "utterance"),
}
COLUMNS = ("document", "turn", "speaker", "role", "start", "end", "section", "text")  # as we write them
_HALF = re.compile("[\ud800-\udfff]")  # half a character: JSON can hold it, no other format can

Columns = Mapping[str, str]  # field of NAMES -> the user's name for it


def check_columns(columns: Columns | None) -> None:
    """ConfigError for a field that turns do not have."""
    for field in columns or {}:
        if field not in NAMES:
            raise ConfigError(choices(field, NAMES), key="columns")


def held_fields(names: Sequence[str], columns: Columns | None) -> dict[str, str]:
    """Field of a turn -> the one of `names` that holds it: the user's if present, else one of NAMES."""
    by_lower = {name.lower(): name for name in reversed(names)}
    own = {field: name for field, name in (columns or {}).items() if name in names}
    found = {f: next((by_lower[n] for n in known if n in by_lower), None) for f, known in NAMES.items()}
    return {field: name for field, name in (found | own).items() if name is not None}


def named(found: Iterable[str], columns: Columns | None, path: Path) -> dict[str, str]:
    """Field -> the key that holds it, of those `found`. DataError where text or a named one is missing."""
    keys = list(found)
    for field, name in (columns or {}).items():
        if name not in keys:
            raise DataError(
                f"no such column, given for {field!r}: {choices(name, keys)}", path=path, column=name
            )
    held = held_fields(keys, columns)
    if "text" not in held:
        known = " or ".join(NAMES["text"])
        message = (
            f"has no column of turns' texts ({known}) among {', '.join(keys)}: name it, as in text=words"
        )
        raise DataError(message, path=path)
    return held


class Drafts:
    """The documents of one file, in order of appearance, while its records come in."""

    def __init__(self, path: Path, document: str, columns: Columns | None) -> None:
        self.path, self.document, self.columns = path, document, columns
        self.by_name: dict[str, Draft] = {}
        self.waiting: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}

    def add(self, batch: Mapping[str, Sequence[Any]]) -> None:
        """Columns of equal length. DataError where none of them is the text."""
        held = named(batch, self.columns, self.path)
        rows = len(next(iter(batch.values())))
        values = [batch[held[name]] if name in held else [None] * rows for name in COLUMNS]
        for document, *rest in zip(*values, strict=True):
            self._row(document, rest, "document" in held)

    def _row(self, document: Any, rest: Sequence[Any], wanted: bool) -> None:
        number, speaker, role, start, end, section, text = rest
        name = word(document) or self.document
        draft = self.by_name.get(name)
        if draft is None:
            draft = self.by_name[name] = Draft(name)
            self.waiting[name] = []
        if isinstance(text, dict | list):
            draft.troubles["bad line"] += 1
            return
        if wanted and name == self.document and not word(document):
            draft.troubles["no document"] += 1
        waiting = self.waiting[name]
        turn = _number(number, waiting[-1][0] if waiting else 0)
        seconds = [_time(draft, value) for value in (start, end)]
        waiting.append((turn, (word(speaker), word(text), *seconds, word(role), word(section))))

    def transcripts(self) -> list[Transcript]:
        for name, draft in self.by_name.items():
            rows = self.waiting.pop(name, [])
            numbers = [number for number, _ in rows]
            if len(set(numbers)) == len(numbers):  # else numbers restart, or there are none
                draft.troubles["out of order"] += sum(b < a for a, b in itertools.pairwise(numbers))
                rows.sort(key=lambda row: row[0])
            for _, fields in rows:
                draft.add(*fields)
        return [Transcript(d.document, tuple(d.turns), dict(+d.troubles)) for d in self.by_name.values()]


def word(value: Any) -> str:
    """A short value as text; "" where it is missing, or not a single value."""
    if isinstance(value, str):
        return value.strip() if value.isascii() else _HALF.sub("\ufffd", value).strip()
    return "" if isinstance(value, dict | list) else as_text(value) or ""


def _number(value: Any, otherwise: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return int(value)
    return otherwise


def _time(draft: Draft, value: Any) -> float | None:
    try:
        return parse_time(value)
    except ValueError:
        draft.troubles["bad time"] += 1
        return None
