"""The words of a row that an attack may change, and the row with some of them changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LETTERS = 3  # of a word that may be changed: of a shorter one little is left after a slip
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

Texts = tuple[str, ...]  # of one row: its text, or the two of a pair


@dataclass(frozen=True)
class Place:
    """A word: in which text of the row, and from which to which character."""

    part: int
    start: int
    end: int
    word: str


def words_of(texts: Texts) -> list[Place]:
    """All words of a row, in order."""
    return [
        Place(part, found.start(), found.end(), found[0])
        for part, text in enumerate(texts)
        for found in _WORD.finditer(text)
    ]


def changeable(words: Sequence[Place]) -> list[Place]:
    """Without short words, contractions and English function words: `not` and `don't` carry the meaning
    (TextFooler and DeepWordBug, as TextAttack has them, leave function words alone, too).
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return [
        place
        for place in words
        if len(place.word) >= LETTERS
        and place.word.isalpha()
        and place.word.lower() not in ENGLISH_STOP_WORDS
    ]


def written(texts: Texts, words: Mapping[Place, str]) -> Texts:
    """The row with the `words` in their places."""
    parts = list(texts)
    for place in sorted(words, key=lambda one: one.start, reverse=True):
        text = parts[place.part]
        parts[place.part] = text[: place.start] + words[place] + text[place.end :]
    return tuple(parts)


def without(texts: Texts, place: Place) -> Texts:
    """The row without a word, and without the blank behind it."""
    parts, text = list(texts), texts[place.part]
    end = place.end + text[place.end : place.end + 1].isspace()
    parts[place.part] = text[: place.start] + text[end:]
    return tuple(parts)


def cased(old: str, new: str) -> str:
    """`new` with the capitals of `old`."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new[0].upper() + new[1:] if old[0].isupper() else new
