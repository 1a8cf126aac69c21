"""Repeats, where a speaker starts again: "the the", "I- I", "why would -- why would", "th- the"."""

from __future__ import annotations

import re

from stratune.transcript.tidy import tidy

# Said twice on purpose, or grammatical.
MEANT = frozenset(["bye", "ha", "had", "knock", "many", "no", "really", "so", "that", "very", "well", "yes"])
LONGEST = 3  # words that may be repeated after a dash
_SEEN = 80  # characters compared on each side of a dash

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_AGAIN = re.compile(rf"(?<![\w'’-])({_WORD.pattern})(?:\s+\1(?![\w'’]|-\w))+", re.IGNORECASE)
_DASH = re.compile(r"\s{0,6}(?:-{1,3}|[—–…]|\.{3})\s+")
_BROKEN_OFF = re.compile(r"(?<![\w'’-])([^\W\d_]{1,4})[-–—]+\s+(?=\1[\w'’])", re.IGNORECASE)


def without_repeats(text: str) -> tuple[str, int]:
    """(text, how many repeats were taken out). The first of equal words stays."""
    text, over_dashes = _over_dashes(text)
    count = 0

    def first(found: re.Match[str]) -> str:
        nonlocal count
        if found.group(1).lower() in MEANT:
            return found.group()
        count += 1
        return found.group(1)

    text = _AGAIN.sub(first, text)
    text, broken_off = _BROKEN_OFF.subn("", text)
    count += over_dashes + broken_off
    return (tidy(text), count) if count else (text, 0)


def _over_dashes(text: str) -> tuple[str, int]:
    """One to three words, a dash or dots, and the same words: "why would -- why would"."""
    kept, done, count = "", 0, 0
    for dash in _DASH.finditer(text):
        if dash.start() < done:
            continue
        kept += text[done : dash.start()]
        again = _again(kept[-_SEEN:], text[dash.end() : dash.end() + _SEEN])
        done = dash.end() + again
        count += again > 0
        kept += "" if again else dash.group()
    return kept + text[done:], count


def _again(left: str, right: str) -> int:
    """How many characters of `right` repeat the last words of `left`."""
    before, coming = left.split()[-LONGEST:], right.split()[:LONGEST]
    for words in range(min(len(before), len(coming)), 0, -1):
        same = [word.lower() for word in before[-words:]]
        meant = words == 1 and same[0] in MEANT
        again = [word.lower() for word in coming[:words]]
        if (
            words == 1 and again[0] != same[0]
        ):  # "I- I- I": the second has its own dash, which stays for the third
            again[0] = again[0].rstrip("-–—…")
        if same == again and all(map(_WORD.fullmatch, same)) and not meant:
            found = re.match(r"\s*\S+" + r"\s+\S+" * (words - 1), right)
            dash = len(coming[0]) - len(again[0]) if words == 1 else 0
            return found.end() - dash if found is not None else 0
    return 0
