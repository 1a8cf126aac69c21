"""A line of a text export, understood: what it opens, says or leaves out; and lines to turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stratune.transcript.turn import Draft


@dataclass(frozen=True, slots=True)
class Opens:
    """The line begins a turn. `speaker` None: of the speaker before it."""

    speaker: str | None
    text: str = ""
    start: float | None = None
    end: float | None = None
    role: str = ""


@dataclass(frozen=True, slots=True)
class Time:
    """The line is a time: what follows began then."""

    start: float


@dataclass(frozen=True, slots=True)
class Section:
    """The line is a heading."""

    name: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The line belongs to the export, not to the talk."""


Mark = Opens | Time | Section | LeftOut | None  # None: the line continues the turn


def openings(marks: Sequence[Mark]) -> int:
    return sum(type(mark) is Opens for mark in marks)


def add_turns(draft: Draft, lines: Sequence[str], marks: Sequence[Mark]) -> None:
    """A blank line ends a turn that has text; what follows it is another turn of the same speaker."""
    now, parts, section = Opens(""), list[str](), ""
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
        match mark:
            case Opens():
                end_turn()
                who = now if mark.speaker is None else mark
                start = coming if mark.start is None and not parts else mark.start
                now, coming = Opens(who.speaker, "", start, mark.end, who.role), None
                parts.append(mark.text)
                opened = True
            case Time():
                end_turn()
                now, coming = Opens(now.speaker, "", mark.start, None, now.role), mark.start
            case Section():
                end_turn()
                section = mark.name
                now = Opens(now.speaker, "", None, None, now.role)
            case LeftOut():
                draft.troubles["left out"] += 1
            case None if line.strip():
                parts.append(line.strip())
                coming = None
            case None if any(parts):
                end_turn()
                now = Opens(now.speaker, "", None, None, now.role)
    end_turn()
