"""Text that was not spoken: times, and notes such as (Applause.)."""

from __future__ import annotations

import re
from collections.abc import Collection

from stratune.transcript.clock import CLOCK
from stratune.transcript.noise_words import BESIDE, NOISE, PHRASES
from stratune.transcript.tidy import tidy

MOST_WORDS = 4  # of a note; longer ones are speech

_TIME = re.compile(
    rf"{CLOCK}\s*-->(?:\s*{CLOCK})?"  # 00:12:31.200 --> 00:12:33.000
    rf"|[\[(<]\s*{CLOCK}(?:\s*(?:-|–|-->)\s*{CLOCK})?\s*[\])>](?:[ \t]?:(?=\s|$))?"  # [0:12], (0:01 - 0:05):
    r"|^[ \t]*\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?!\w)",  # 00:12:31 where a line begins
    re.MULTILINE,
)
_NOTE = re.compile(
    r"\[[^\[\]()]{1,80}\]|\(\([^\[\]()]{1,80}\)\)|\([^\[\]()]{1,80}\)|\*[^*\n]{1,80}\*"
    r"|<[^<>]{1,80}>|\{[^{}]{1,80}\}"
)
_CLOCK = re.compile(CLOCK)
_SUNG = re.compile(r"[♪♫♬♩#]?[♪♫♬♩][^♪♫♬♩\n]{0,300}[♪♫♬♩]|[♪♫♬♩]")
_CHANGE = re.compile(
    r"(?:^|(?<=\s))(?:>>+|&gt;&gt;(?:&gt;)*)\s?", re.MULTILINE
)  # captions: another one speaks
_WORDS = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def without_timestamps(text: str) -> tuple[str, int]:
    """(text, how many times were taken out). "at 12:31" is speech and stays."""
    if ":" not in text:
        return text, 0
    text, count = _TIME.subn(" ", text)
    return (tidy(text), count) if count else (text, 0)


def without_noise(text: str, words: Collection[str] = NOISE) -> tuple[str, int]:
    """(text, how many notes were taken out).

    Notes stand in (), [], <>, {} or **, have at most four words, and are noise as a whole (BESIDE, PHRASES).
    What stands between two notes of music, and `>>`, is taken out too.
    """
    count = 0

    def drop(found: re.Match[str]) -> str:
        nonlocal count
        if not _is_noise(found.group(), words):
            return found.group()
        count += 1
        return " "

    text, sung = _SUNG.subn(" ", text)
    text, changes = _CHANGE.subn("", text) if ">" in text or "&gt;" in text else (text, 0)
    text = _NOTE.sub(drop, text)
    count += sung + changes
    return (tidy(text), count) if count else (text, 0)


def _is_noise(note: str, words: Collection[str]) -> bool:
    spoken = _WORDS.findall(_CLOCK.sub(" ", note))
    low = [word.lower() for word in spoken]
    if not low or len(low) > MOST_WORDS:
        return False
    if words is NOISE and " ".join(low).replace("-", " ") in PHRASES:
        return True
    others = [
        word for word, small in zip(spoken, low, strict=True) if small not in words and small not in NOISE
    ]
    if not any(word in words for word in low):
        return False
    named = low[-1] in words and all(word[0].isupper() for word in others)  # (Ann Lee laughs)
    return named or all(word.lower() in BESIDE for word in others)
