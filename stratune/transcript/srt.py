"""SRT (SubRip): a cue is a turn, its speaker is the `NAME:` before the text.

Cannot hold: what WebVTT cannot, and in a text an arrow `-->` (written `->`), tags such as `<i>` and
`{\\an8}`, in a speaker's name `]:`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from stratune.transcript.clock import format_clock
from stratune.transcript.cues import blocks, cues
from stratune.transcript.label import join_label, spoken
from stratune.transcript.text import read_lines
from stratune.transcript.timing import filled
from stratune.transcript.turn import Draft, Transcript

_TAG = re.compile(r"</?(?:b|i|u|s|font|c|v)(?:[\s.][^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)

_ARROW = re.compile(r"(?<!-)-{2,}>")


def read_srt(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text. Everything else that is wrong is counted."""
    lines, damaged = read_lines(path, encoding)
    draft = Draft(document)
    if damaged:
        draft.troubles["undecodable bytes"] += damaged
    for block in blocks(lines):
        for cue in cues(block):
            draft.troubles.update(["broken cue"] if cue.broken else [])
            for speaker, text in spoken([_TAG.sub("", line) for line in cue.lines]) or [("", "")]:
                draft.add(speaker, text, cue.start, cue.end)
    return draft.transcript()


def srt_text(transcripts: Sequence[Transcript]) -> str:
    (transcript,) = transcripts
    parts: list[str] = []
    for turn, (start, end) in zip(transcript.turns, filled(transcript), strict=True):
        times = f"{format_clock(start, ',')} --> {format_clock(end, ',')}"
        line = _ARROW.sub("->", join_label(turn.speaker, turn.text))
        parts.append(f"{len(parts) + 1}\n{times}\n{line}\n")
    return "\n".join(parts)
