"""Boilerplate: lines that come from a form or a program, not from a speaker. A turn mostly has one line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from stratune.transcript.turn import Transcript


def key(line: str) -> str:
    """Equal for lines that differ in case and blanks alone."""
    return " ".join(line.lower().split())


def common_lines(transcripts: Sequence[Transcript], share: float, min_words: int) -> set[str]:
    """Keys of the lines of at least `min_words` words that are in `share` of the documents, and in two."""
    documents: Counter[str] = Counter()
    for transcript in transcripts:
        lines = {key(line) for turn in transcript.turns for line in turn.text.split("\n")}
        documents.update(line for line in lines if len(line.split()) >= min_words)
    least = max(2, share * len(transcripts))
    return {line for line, count in documents.items() if count >= least}


def without_lines(text: str, keys: Collection[str], patterns: Iterable[re.Pattern[str]]) -> tuple[str, int]:
    """(text, how many lines were taken out): those in `keys`, those that a pattern fully matches."""
    lines = text.split("\n")
    kept = [
        line
        for line in lines
        if key(line) not in keys and not any(pattern.fullmatch(line.strip()) for pattern in patterns)
    ]
    return ("\n".join(kept), len(lines) - len(kept)) if len(kept) < len(lines) else (text, 0)
