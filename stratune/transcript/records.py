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
from stratune.transcript.clock import parse_moment, parse_time
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
    "confidence": ("confidence",),
}
# What else a field of a turn is called, in corpora and exports; compared without blanks, _ and -.
ALSO: dict[str, tuple[str, ...]] = {
    "document": ("conversation", "dialog_id", "meeting_id", "call_id", "session_id", "episode_id", "root"),
    "turn": ("utterance_id", "utterance_index", "turn_index", "turn_number", "sentence_index"),
    "speaker": ("speaker_label", "speaker_id", "interlocutor", "username", "user", "participant", "agent")
    + ("speaker_display_name", "display_name", "author", "sender", "character", "from", "who", "name"),
    "role": ("speaker_role", "participant_role"),
    "start": ("start_seconds", "start_sec", "begin", "begin_time", "start_offset", "start_ms", "start_millis")
    + ("begin_offset_millis", "offset_ms", "timestamp", "time", "ts"),
    "end": ("end_seconds", "end_sec", "stop_time", "end_offset", "end_ms", "end_millis", "end_offset_millis")
    + ("end_ts",),
    "text": (
        "utterance_text",
        "transcript",
        "content",
        "message",
        "sentence",
        "speech",
        "spoken_text",
        "body",
    )
    + ("utt", "caption", "value"),
}
_MILLISECONDS = re.compile(r"(?:ms|millis|milliseconds)", re.IGNORECASE)  # ends a key whose times are these
COLUMNS = ("document", "turn", "speaker", "role", "start", "end", "section", "text")  # as we write them
SINCE_1970 = 1e8  # seconds, three years: no recording, but a date; ConvoKit and others count from 1970
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


def turn_fields(names: Sequence[str], columns: Columns | None) -> dict[str, str]:
    """As held_fields, with all other names that fields of turns have: for what is known to be turns."""
    found = held_fields(names, columns)
    by_form = {_form(name): name for name in reversed(names)}
    for field, known in NAMES.items():
        also = (by_form.get(_form(name)) for name in (*known, *ALSO.get(field, ())))
        free = next((name for name in also if name is not None and name not in found.values()), None)
        if field not in found and free is not None:
            found[field] = free
    return found


def _form(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name).lower()


def named(found: Iterable[str], columns: Columns | None, path: Path) -> dict[str, str]:
    """Field -> the key that holds it, of those `found`. DataError where text or a named one is missing."""
    keys = list(found)
    for field, name in (columns or {}).items():
        if name not in keys:
            raise DataError(
                f"no such column, given for {field!r}: {choices(name, keys)}", path=path, column=name
            )
    held = turn_fields(keys, columns)
    if "text" not in held:
        known = " or ".join(NAMES["text"])
        message = (
            f"has no column of turns' texts ({known}) among {', '.join(keys)}: name it, as in text=words"
        )
        raise DataError(message, path=path)
    return held


class Drafts:
    """The documents of one file, in order of appearance, while its records come in."""

    def __init__(self, path: Path, document: str, columns: Columns | None, form: str = "") -> None:
        self.path, self.document, self.columns, self.form = path, document, columns, form
        self.by_name: dict[str, Draft] = {}
        self.dated: set[str] = set()  # documents whose times are dates
        self.waiting: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}

    def add(self, batch: Mapping[str, Sequence[Any]]) -> None:
        """Columns of equal length. DataError where none of them is the text."""
        held = named(batch, self.columns, self.path)
        rows = len(next(iter(batch.values())))
        values = [batch[held[name]] if name in held else [None] * rows for name in COLUMNS]
        sure = batch[held["confidence"]] if "confidence" in held else [None] * rows
        scales = [0.001 if _MILLISECONDS.search(held.get(name, "")[-12:]) else 1 for name in ("start", "end")]
        for document, *rest, confidence in zip(*values, sure, strict=True):
            self._row(document, rest, confidence, "document" in held, scales)

    def _row(
        self, document: Any, rest: Sequence[Any], sure: Any, wanted: bool, scales: Sequence[float]
    ) -> None:
        number, speaker, role, start, end, section, text = rest
        name = word(document) or self.document
        draft = self.by_name.get(name)
        if draft is None:
            draft = self.by_name[name] = Draft(name, self.form)
            self.waiting[name] = []
        if isinstance(text, dict | list):
            draft.troubles["bad line"] += 1
            return
        if wanted and name == self.document and not word(document):
            draft.troubles["no document"] += 1
        waiting = self.waiting[name]
        turn = _number(number, waiting[-1][0] if waiting else 0)
        if any(isinstance(value, str) and parse_moment(value) is not None for value in (start, end)):
            self.dated.add(name)
        seconds = [_time(draft, value, scale) for value, scale in zip((start, end), scales, strict=True)]
        said = (speaker_name(speaker), word(text), *seconds, word(role), word(section), _share(sure))
        waiting.append((turn, said))

    def transcripts(self) -> list[Transcript]:
        return [draft.transcript() for draft in self.drafts()]

    def drafts(self) -> list[Draft]:
        """Their turns in the order of their numbers, where those are told."""
        for name, draft in self.by_name.items():
            rows = self.waiting.pop(name, [])
            numbers = [number for number, _ in rows]
            if len(set(numbers)) == len(numbers):  # else numbers restart, or there are none
                draft.troubles["out of order"] += sum(b < a for a, b in itertools.pairwise(numbers))
                rows.sort(key=lambda row: row[0])
            starts = [fields[2] for _, fields in rows if fields[2] is not None]
            first = min(starts, default=0.0)
            first = first if name in self.dated or first >= SINCE_1970 else 0.0
            for _, (speaker, text, start, end, *more) in rows:
                draft.add(speaker, text, _since(first, start), _since(first, end), *more)
        return list(self.by_name.values())


def word(value: Any) -> str:
    """A short value as text; "" where it is missing, or not a single value."""
    if isinstance(value, str):
        return value.strip() if value.isascii() else _HALF.sub("\ufffd", value).strip()
    return "" if isinstance(value, dict | list) else as_text(value) or ""


def speaker_name(value: Any) -> str:
    """A name or number, or what an object calls itself: ConvoKit and others write {"id": "ann", ...}."""
    if isinstance(value, dict):
        keys = ("name", "display_name", "displayName", "speaker_name", "username", "id")
        return next((word(value[key]) for key in keys if word(value.get(key))), "")
    return word(value)


def _share(value: Any) -> float | None:
    """A confidence; None for what is no number from 0 to 1."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= 1 else None


def _number(value: Any, otherwise: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return int(value)
    return otherwise


def _since(first: float, seconds: float | None) -> float | None:
    return seconds if seconds is None or not first else round(seconds - first, 6)


def _time(draft: Draft, value: Any, scale: float) -> float | None:
    try:
        date = parse_moment(value) if isinstance(value, str) else None
        seconds = parse_time(value) if date is None else date
        return seconds if seconds is None or scale == 1 else round(seconds * scale, 6)
    except ValueError:
        draft.troubles["bad time"] += 1
        return None
