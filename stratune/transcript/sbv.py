"""SubViewer (.sbv), as YouTube and Google Meet write it: `0:00:01.000,0:00:02.000`, then the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from stratune.transcript.captions import add_cues
from stratune.transcript.clock import CLOCK, parse_clock
from stratune.transcript.cues import Cue
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Draft, Transcript

_TIMES = re.compile(rf"\ufeff?\s*({CLOCK})\s*,\s*({CLOCK})\s*")
_BREAK = re.compile(r"\s*\[br\]\s*", re.IGNORECASE)


def read_sbv(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text. Text before the first times is a broken cue."""
    lines, damaged = read_lines(path, encoding)
    draft = Draft(document)
    draft.troubles["undecodable bytes"] += damaged
    add_cues(draft, _cues(lines))
    return draft.transcript()


def _cues(lines: list[str]) -> Iterator[Cue]:
    start = end = None
    text: list[str] = []
    timed = False
    for line in lines:
        times = _TIMES.fullmatch(line)
        if times is None:
            text += [part for part in _BREAK.split(line) if part.strip()]
            continue
        if text or timed:
            yield Cue(start, end, text, broken=not timed)
        start, end = map(parse_clock, times.groups())
        text, timed = [], True
    if text or timed:
        yield Cue(start, end, text, broken=not timed)
