"""Text that was not spoken: times, and notes such as (Applause.)."""

from __future__ import annotations

import re
from collections.abc import Collection

from stratune.transcript.clock import CLOCK
from stratune.transcript.tidy import tidy

NOISE = frozenset(
    ["applause", "applauding", "audio", "background", "bell", "boo", "booing", "boos", "chanting", "chants"]
    + ["cheering", "cheers", "chuckle", "chuckles", "clapping", "claps", "cough", "coughing", "coughs"]
    + ["crosstalk", "gasps", "gavel", "giggles", "groans", "inaudible", "indiscernible", "laugh", "laughing"]
    + [
        "laughs",
        "laughter",
        "music",
        "noise",
        "overlapping",
        "pause",
        "pauses",
        "sighs",
        "silence",
        "singing",
    ]
    + ["sobs", "sniffs", "static", "unclear", "unintelligible", "whistles"]
)
MOST_WORDS = 4  # of a note; longer ones are speech

_TIME = re.compile(
    rf"{CLOCK}\s*-->(?:\s*{CLOCK})?"  # 00:12:31.200 --> 00:12:33.000
    rf"|[\[(<]\s*{CLOCK}(?:\s*(?:-|–|-->)\s*{CLOCK})?\s*[\])>]"  # [00:12:31], (12:31), [0:01 - 0:05]
    r"|^[ \t]*\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?!\w)",  # 00:12:31 where a line begins
    re.MULTILINE,
)
_NOTE = re.compile(r"\[[^\[\]()]{1,80}\]|\([^\[\]()]{1,80}\)|\*[^*\n]{1,80}\*")
_WORDS = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def without_timestamps(text: str) -> tuple[str, int]:
    """(text, how many times were taken out). "at 12:31" is speech and stays."""
    if ":" not in text:
        return text, 0
    text, count = _TIME.subn(" ", text)
    return (tidy(text), count) if count else (text, 0)


def without_noise(text: str, words: Collection[str] = NOISE) -> tuple[str, int]:
    """(text, how many notes were taken out): in (), [] or **, at most four words, one of them in `words`."""
    count = 0

    def drop(found: re.Match[str]) -> str:
        nonlocal count
        note = [word.lower() for word in _WORDS.findall(found.group())]
        if len(note) > MOST_WORDS or not any(word in words for word in note):
            return found.group()
        count += 1
        return " "

    text = _NOTE.sub(drop, text)
    return (tidy(text), count) if count else (text, 0)
