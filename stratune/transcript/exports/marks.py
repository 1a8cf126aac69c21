"""A line of a text export, understood: what it opens, says or leaves out; and lines to turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stratune.transcript.turn import Draft

Kind = Literal["opens", "time", "section", "left out"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a line is. A line without a mark continues the turn.

    opens: it begins a turn of `speaker` (None: of the one before it), with the rest of the fields. time: what
    follows began at `start`. section: it is the heading `text`. left out: it belongs to the export.
    """

    kind: Kind
    speaker: str | None = None
    text: str = ""
    start: float | None = None
    end: float | None = None
    role: str = ""


Marks = list[Mark | None]


def opens(
    speaker: str | None,
    text: str = "",
    start: float | None = None,
    end: float | None = None,
    role: str = "",
) -> Mark:
    return Mark("opens", speaker, text, start, end, role)


def opening(mark: Mark | None) -> bool:
    return mark is not None and mark.kind == "opens"


def openings(marks: Sequence[Mark | None]) -> int:
    return sum(map(opening, marks))


def add_turns(draft: Draft, lines: Sequence[str], marks: Sequence[Mark | None]) -> None:
    """A blank line ends a turn that has text; what follows it is another turn of the same speaker."""
    now, parts, section = opens(""), list[str](), ""
    opened = False  # by its line, not by a blank one
    coming: float | None = None  # a time that stands above the next turn

    def end_turn() -> None:
        nonlocal opened
        text = " ".join(part for part in parts if part)
        if text or opened:
            draft.add(now.speaker or "", text, now.start, now.end, now.role, section)
        parts.clear()
        opened = False

    for line, mark in zip(lines, marks, strict=True):
        if mark is None and line.strip():
            parts.append(line.strip())
            coming = None
        elif mark is None:
            if any(parts):
                end_turn()
                now = opens(now.speaker, role=now.role)
        elif mark.kind == "left out":
            draft.troubles["left out"] += 1
        else:
            untold = not parts
            end_turn()
            if mark.kind == "opens":
                who = now if mark.speaker is None else mark
                start = coming if mark.start is None and untold else mark.start
                now, coming = opens(who.speaker, "", start, mark.end, who.role), None
                parts.append(mark.text)
                opened = True
            else:
                section = mark.text if mark.kind == "section" else section
                now, coming = opens(now.speaker, start=mark.start, role=now.role), mark.start
    end_turn()
