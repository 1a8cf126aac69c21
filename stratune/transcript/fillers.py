"""Fillers: um, uh, you know. Marks and capitals around them are mended.

A filler of one word is removed wherever it stands. One of several words is removed only where marks or the
ends of the text set it off on both sides: "it's, you know, hard" but not "do you know him?".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from stratune.transcript.tidy import tidy

ENGLISH = (
    "um", "umm", "uhm", "uh", "uhh", "er", "erm", "ah", "eh", "hm", "hmm", "mm", "you know", "I mean",
)  # fmt: skip

# Bounded repeats: a text of nothing but blanks and commas must not take quadratic time.
_PAUSE = r"[\s,]{0,6}(?:--+|[—–]|\.{3}|…)?[\s,]{0,6}"
_DASH = re.compile(r"--+|[—–…]|\.{3}")
_OPENS = '.?!"“('  # after these a sentence begins


def without_fillers(text: str, words: Sequence[str] = ENGLISH) -> tuple[str, int]:
    """(text, how many fillers were taken out)."""
    singles, phrases = _patterns(tuple(words), text.isupper())
    count = 0

    def drop(found: re.Match[str]) -> str:
        nonlocal count
        count += len(singles.findall(found.group("run"))) if singles is not None else 1
        return _left_behind(found)

    if singles is not None and singles.search(text):
        text = _run(singles).sub(drop, text)
    while phrases is not None:  # each may be the edge of the next: "you know, I mean, it's"
        text, changes = phrases.subn(_phrase_left_behind, text)
        count += changes
        if not changes:
            break
    return (tidy(text), count) if count else (text, 0)


@lru_cache(maxsize=16)
def _patterns(
    words: tuple[str, ...], capitals: bool
) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """(fillers of one word, fillers of several with the marks around them).

    In capitals only where the whole text is: the ER is no er.
    """
    variants = [(w.upper(),) if capitals else (w, w[:1].upper() + w[1:]) for w in words]
    forms = {form for variant in variants for form in variant}
    ordered = sorted(forms, key=lambda form: (-len(form), form))  # "umm" before "um"
    one = "|".join(re.escape(word) for word in ordered if len(word.split()) == 1)
    several = "|".join(r"\s+".join(map(re.escape, word.split())) for word in ordered if len(word.split()) > 1)
    mark = r"[,.?!;:—–…]|--"
    single = rf"(?<![\w'’])(?<!\w-)(?:{one})(?![\w'’]|-\w)"
    phrase = rf"(?P<left>^|{mark})\s*(?:{several})\s*(?P<right>$|{mark})(?P<next>\s*\w?)"
    return (
        re.compile(single) if one else None,
        re.compile(phrase) if several else None,
    )


@lru_cache(maxsize=16)
def _run(single: re.Pattern[str]) -> re.Pattern[str]:
    """Fillers in a row, with the pauses around them, the end of the sentence, and the letter that follows."""
    one = single.pattern
    run = rf"(?P<run>{one}(?:{_PAUSE}{one})*)"
    return re.compile(rf"(?P<left>{_PAUSE}){run}(?P<right>{_PAUSE})(?P<stop>[.?!;:]*)(?P<next>\w?)")


def _left_behind(found: re.Match[str]) -> str:
    left, run, right, stop, following = found.group("left", "run", "right", "stop", "next")
    ahead = found.string[: found.start()][-1:]
    if not ahead or ahead in _OPENS:  # the sentence begins here: its next word takes the capital
        gap = "" if not ahead or ahead in '"“(' else " "
        return gap + (following.upper() if run[0].isupper() else following)
    if stop or not following and found.end() == len(found.string):
        pause = _DASH.search(left + right)
        return stop + following if stop or pause is None else f" {pause.group()}"
    pause = _DASH.search(left) or _DASH.search(right)
    if pause is not None:
        return f" {pause.group()} {following}"
    return (", " if "," in left else " ") + following


def _phrase_left_behind(found: re.Match[str]) -> str:
    left, right, following = found.group("left", "right", "next")
    if not left or left in ".?!;:":
        capital = found.group()[len(left) :].lstrip()[0].isupper()
        return f"{left} {following.strip().upper() if capital else following.strip()}".lstrip()
    if not right or right in ".?!;:":
        return right + following
    return f"{' ' if left == '--' else ''}{left} {following.strip()}"
