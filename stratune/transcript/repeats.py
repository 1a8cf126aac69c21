"""Repeats of a speaker who starts again: "the the", "I- I", "why would -- why would", "th- the"."""

from __future__ import annotations

import re

from stratune.transcript.tidy import tidy

# Said twice on purpose, or grammatical.
MEANT = frozenset(["bye", "ha", "had", "knock", "many", "no", "really", "so", "that", "very", "well", "yes"])

_WORD = r"[^\W\d_]+(?:['’][^\W\d_]+)?"
# One to three words, perhaps a dash, and the same again
_AGAIN = re.compile(
    rf"(?<![\w'’-])({_WORD}(?:\s+{_WORD}){{0,2}})(?:\s*(?:-{{1,3}}|[—–…]|\.{{3}})?\s+\1(?![\w'’]|-\w))+",
    re.IGNORECASE,
)
_BROKEN_OFF = re.compile(r"(?<![\w'’-])([^\W\d_]{1,4})[-–—]+\s+(?=\1[\w'’])", re.IGNORECASE)


def without_repeats(text: str) -> tuple[str, int]:
    """(text, how many times somebody started again). The first of equal words stays."""
    count = 0

    def first(found: re.Match[str]) -> str:
        nonlocal count
        if found.group(1).lower() in MEANT:
            return found.group()
        count += 1
        return found.group(1)

    text = _AGAIN.sub(first, text)
    text, broken_off = _BROKEN_OFF.subn("", text)
    count += broken_off
    return (tidy(text), count) if count else (text, 0)
