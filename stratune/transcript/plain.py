"""Plain text: `NAME: text`. Lines without a name continue the turn; a blank line ends it.

After a blank line, text without a name is another turn of the same speaker. A clock time in brackets before
the name is the turn's start.

Cannot hold: role, section and times, line breaks inside a turn, `]:` in a speaker's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from stratune.transcript.clock import CLOCK, parse_clock
from stratune.transcript.label import join_label, one_line, split_label
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Draft, Transcript

_STAMP = re.compile(rf"\s*[\[(]({CLOCK})[\])]\s+")


def read_plain(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text."""
    lines, damaged = read_lines(path, encoding)
    return parse_plain(lines, document, damaged)


def parse_plain(lines: Iterable[str], document: str, damaged: int = 0) -> Transcript:
    """`damaged`: undecodable bytes that were replaced in the lines."""
    draft = Draft(document)
    if damaged:
        draft.troubles["undecodable bytes"] += damaged
    start, speaker, parts = None, "", list[str]()

    def end_turn() -> None:
        if parts:
            draft.add(speaker, " ".join(part for part in parts if part), start)
        parts.clear()

    for line in lines:
        opened = _opened(line)
        if opened is not None:
            end_turn()
            start, speaker, first = opened
            parts.append(first)
        elif line.strip():
            parts.append(line.strip())
        else:
            end_turn()
            start = None
    end_turn()
    return draft.transcript()


def _opened(line: str) -> tuple[float | None, str, str] | None:
    """(start, speaker, text) of a line that begins a turn."""
    stamp = _STAMP.match(line)
    if stamp is not None:
        labelled = split_label(line[stamp.end() :])
        if labelled is not None:
            return parse_clock(stamp.group(1)), *labelled
    labelled = split_label(line)
    return None if labelled is None else (None, *labelled)


def plain_text(transcripts: Sequence[Transcript]) -> str:
    """Every turn with its name; paragraphs where no turn has one."""
    (transcript,) = transcripts
    if not transcript.speakers:
        texts = [one_line(turn.text) for turn in transcript.turns]
        lines = [f"[]: {text}" if _opened(text) is not None else text for text in texts]
        return "\n\n".join(lines) + "\n"
    named = [(turn.speaker, turn.text) for turn in transcript.turns]
    lines = [join_label(who, text) if who else f"[]: {one_line(text)}" for who, text in named]
    return "\n".join(lines) + "\n"
