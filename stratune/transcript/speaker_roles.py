"""Speakers by their role: "Tim Cook - CEO" and "Dana Reed -- Chief Executive Officer" are CEO, analysts and
the audience are Audience Q; and what a sheet says about names and roles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from stratune.data.read import iter_batches
from stratune.errors import DataError
from stratune.transcript.names import parts
from stratune.transcript.records import held_fields, word
from stratune.transcript.text import read_lines

# (pattern of a title or label, the role): the first that fits.
RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), role)
    for pattern, role in (
        (
            r"analysts?|audience|unidentified|unknown (?:analyst|participant)|questioner|shareholder",
            "Audience Q",
        ),
        (r"operator|conference coordinator|coordinator", "Operator"),
        (r"c\.?e\.?o|chief executive(?: officer)?", "CEO"),
        (r"c\.?f\.?o|chief financial(?: officer)?|finance director", "CFO"),
        (r"c\.?o\.?o|chief operating(?: officer)?", "COO"),
        (r"c\.?t\.?o|chief (?:technology|technical)(?: officer)?", "CTO"),
        (r"investor relations|ir", "Investor Relations"),
        (r"interviewer|investigator", "Interviewer"),
        (r"moderator|host|chair(?:man|woman|person)?", "Moderator"),
        (r"president", "President"),
        (r"director", "Director"),
    )
)
_NEW_NAMES = ("name", "new", "to", "map")  # columns of a sheet with the name that a speaker should have

Key = tuple[str, str]  # document ("": all), the name in its one form
Told = tuple[str, str]  # name, role; "" where the sheet does not say


def role_of(role: str, label: str) -> str:
    """The role by RULES, of the role that is known, else of the label; else the known role as it is."""
    for text in (role, label):
        for pattern, name in RULES:
            if pattern.search(text):
                return name
    return role


class KnownSpeakers:
    """What a map and a sheet say. A speaker is found by the label in any case, or by the name in one form."""

    def __init__(self, renamed: Mapping[str, str], roles: Mapping[str, str], file: str | Path | None) -> None:
        self._told: dict[Key, Told] = {}
        for label in {**renamed, **roles}:
            self._add("", label, (renamed.get(label, ""), roles.get(label, "")))
        if file is not None:
            self._read(Path(file))

    def find(self, document: str, label: str, form: str) -> Told:
        """(name, role) of a speaker; ("", "") where nothing is told."""
        keys = [(where, name.upper()) for where in (document, "") for name in (label, form)]
        return next((self._told[key] for key in keys if key in self._told), ("", ""))

    def of_all_documents(self) -> tuple[dict[str, str], dict[str, str]]:
        """(names, roles) by label, of what is not told of one document alone."""
        told = {label: one for (document, label), one in self._told.items() if not document}
        names, roles = ({label: one[i] for label, one in told.items() if one[i]} for i in (0, 1))
        return names, roles

    def _add(self, document: str, label: str, told: Told) -> None:
        self._told[document, label.strip().upper()] = told
        self._told.setdefault((document, parts(label)[1].upper()), told)

    def _read(self, path: Path) -> None:
        if path.suffix.lower() == ".txt":
            self._read_lines(path)
            return
        for batch in iter_batches(path):
            held = held_fields(list(batch), None)
            if "speaker" not in held:
                raise DataError(f"has no column speaker among {', '.join(batch)}", path=path)
            named = next((column for column in batch if column.lower() in _NEW_NAMES), None)
            if named is None and "role" not in held:
                raise DataError(f"has neither a column name nor role among {', '.join(batch)}", path=path)
            for number, label in enumerate(batch[held["speaker"]]):
                told = (
                    word(batch[named][number]) if named is not None else "",
                    word(batch[held["role"]][number]) if "role" in held else "",
                )
                document = word(batch[held["document"]][number]) if "document" in held else ""
                if word(label):
                    self._add(document, word(label), told)

    def _read_lines(self, path: Path) -> None:
        """`label = name`, one a line; # begins a comment."""
        for number, line in enumerate(read_lines(path)[0], start=1):
            text = line.split("#")[0].strip()
            label, mark, name = (part.strip() for part in text.partition("="))
            if text and not (mark and label and name):
                raise DataError(f"{text!r} should be <label> = <name>", path=path, row=number)
            if text:
                self._add("", label, (name, ""))
