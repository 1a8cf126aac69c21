"""TextGrid (Praat), long and short: a tier is a speaker, an interval with text a turn.

Of aligners (MFA) the tiers of words become turns, those of phones are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stratune.errors import DataError
from stratune.transcript.clock import LATEST
from stratune.transcript.shapes.said import Said
from stratune.transcript.shapes.words import turns_of_words
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Draft, Transcript

_TOKEN = re.compile(r'"((?:[^"]|"")*)"|\[\d*\]|(?<![\w.])(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])|<(\w+)>')
_SILENT = frozenset(["", "sp", "sil", "spn", "<sil>", "<p:>", "silent", "silence"])
_PARTS = re.compile(r"(?:^|[\s_-])(?:phones?|phonemes?|segments?|syllables?|mau|silences?)$", re.IGNORECASE)
_WORDS = re.compile(r"(?:^|\s*[\s_-]\s*)(?:words?|ort)$", re.IGNORECASE)
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))  # how Praat saves what is not ASCII


@dataclass
class _Tier:
    name: str
    points: bool  # a text has one time, not two
    intervals: list[Said] = field(default_factory=list)


def read_textgrid(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no TextGrid. An interval without readable times is a broken cue."""
    lines, damaged = read_lines(path, encoding or _encoding(path))
    text = "\n".join(lines)
    if "TextGrid" not in text[:200]:
        raise DataError("is no TextGrid: its first lines do not say so", path=path)
    draft = Draft(document)
    draft.troubles["undecodable bytes"] += damaged
    tiers = list(_tiers(text))
    turns = [turn for tier in tiers if not _PARTS.search(tier.name) for turn in _turns(tier)]
    draft.troubles["left out"] += sum(_PARTS.search(tier.name) is not None for tier in tiers)
    turns.sort(key=lambda turn: turn.start if turn.start is not None else 0.0)
    for turn in turns:
        draft.troubles.update(["broken cue"] if turn.start is None else [])
        draft.add(turn.speaker, turn.text, turn.start, turn.end)
    return draft.transcript()


def _encoding(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        start = stream.read(2)
    return next((name for mark, name in _MARKS if start == mark), None)


def _turns(tier: _Tier) -> list[Said]:
    spoken = [one for one in tier.intervals if one.text.strip().lower() not in _SILENT]
    return turns_of_words(spoken) if _WORDS.search(tier.name) else spoken


def _tiers(text: str) -> Iterator[_Tier]:
    """The tiers, from their tokens: texts in quotes and numbers; everything else is explanation."""
    tier: _Tier | None = None
    kind, numbers = "", list[float]()
    for token in _TOKEN.finditer(text):
        quoted, number = token.group(1), token.group(2)
        if number is not None:
            numbers.append(float(number))
        if quoted is None:
            continue
        quoted = quoted.replace('""', '"')
        if quoted in ("IntervalTier", "TextTier"):
            if tier is not None:
                yield tier
            tier, kind = None, quoted
        elif kind and tier is None:
            tier = _Tier(quoted, kind == "TextTier")
        elif tier is not None:
            times = [_time(found) for found in numbers[-(1 if tier.points else 2) :]]
            start, end = [*times, None, None][:2]
            speaker = _WORDS.sub("", tier.name).strip()
            tier.intervals.append(Said(quoted, speaker, start, end))
        numbers = []
    if tier is not None:
        yield tier


def _time(seconds: float) -> float | None:
    return round(seconds, 6) if 0 <= seconds <= LATEST else None
