"""What all captions share: cues become turns, each word once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from stratune.transcript.cue_text import Spoken, bracketed_names, spoken_turns
from stratune.transcript.cues import Cue
from stratune.transcript.rolling import read_once
from stratune.transcript.turn import Draft


def add_cues(draft: Draft, cues: Iterable[Cue]) -> None:
    """Every turn of every cue. The lines of the cues are plain text."""
    cues = read_once(list(cues))
    add_voices(draft, cues, [spoken_turns(cue.lines) or [("", "")] for cue in cues])


def add_voices(draft: Draft, cues: Sequence[Cue], voices: Sequence[Sequence[Spoken]]) -> None:
    """`voices`: the turns of each cue."""
    named = iter(bracketed_names([turn for turns in voices for turn in turns]))
    for cue, turns in zip(cues, voices, strict=True):
        draft.troubles.update(["broken cue"] if cue.broken else [])
        for speaker, text in [next(named) for _ in turns]:
            draft.add(speaker, text, cue.start, cue.end)


def ended(cues: Sequence[Cue]) -> list[Cue]:
    """Cues without an end get the start of the next, if that is later."""
    following = [*(after.start for _, after in pairwise(cues)), None][: len(cues)]
    return [
        replace(cue, end=later)
        if cue.end is None and cue.start is not None and later is not None and later >= cue.start
        else cue
        for cue, later in zip(cues, following, strict=True)
    ]
