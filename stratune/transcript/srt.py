"""SRT (SubRip): a cue is a turn, its speaker is the `NAME:` before the text.

Cannot hold: what WebVTT cannot, and in a text an arrow `-->` (written `->`), tags such as `<i>` and
`{\\an8}`, in a speaker's name `]:`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stratune.transcript.captions import add_cues
from stratune.transcript.clock import format_clock
from stratune.transcript.cue_text import spoken_turns
from stratune.transcript.cues import blocks, cues
from stratune.transcript.label import join_label, one_line
from stratune.transcript.text import read_lines
from stratune.transcript.timing import filled
from stratune.transcript.turn import Draft, Transcript, Turn

_TAG = re.compile(r"</?(?:b|i|u|s|font|c|v)(?:[\s.][^<>]*)?>|<\d[\d:.,]*>|\{\\[^{}]*\}", re.IGNORECASE)

_ARROW = re.compile(r"(?<!-)-{2,}>")


def read_srt(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text. Everything else that is wrong is counted."""
    lines, damaged = read_lines(path, encoding)
    draft = Draft(document)
    if damaged:
        draft.troubles["undecodable bytes"] += damaged
    found = (cue for block in blocks(lines) for cue in cues(block))
    add_cues(draft, (replace(cue, lines=[_TAG.sub("", line) for line in cue.lines]) for cue in found))
    return draft.transcript()


def srt_text(transcripts: Sequence[Transcript]) -> str:
    (transcript,) = transcripts
    parts: list[str] = []
    for turn, (start, end) in zip(transcript.turns, filled(transcript), strict=True):
        times = f"{format_clock(start, ',')} --> {format_clock(end, ',')}"
        line = _ARROW.sub("->", _line(turn))
        parts.append(f"{len(parts) + 1}\n{times}\n{line}\n")
    return "\n".join(parts)


def _line(turn: Turn) -> str:
    """The turn with its name, in brackets where it would be read otherwise."""
    line = join_label(turn.speaker, turn.text)
    alike = spoken_turns([line]) == [(one_line(turn.speaker), one_line(turn.text))]
    return line if alike else f"[{one_line(turn.speaker)}]: {one_line(turn.text)}"
