"""`NAME: text`: whether a line names its speaker, or holds a colon for another reason.

A label is the text before the first colon that has a space (or nothing) after it, where it could be a name:
one word, or up to eight that begin with capitals or digits. `[anything]:` is always a label, so that any name
can be written; `[]:` is a turn without a speaker.
"""

from __future__ import annotations

import re

_BRACKETED = re.compile(r"\s*\[(.*?)\]:(?:\s+|$)")
# ">> JOHN:" and "- JOHN:" open a new speaker in captions
_PLAIN = re.compile(r"\s*(?:>>+\s*|[-–—]\s+)?([^\W_][^:\[\]\n]{0,79}):(?:\s+|$)")
_NOTE = re.compile(r"\([^()]*\)")  # the "(Counsel)" of "JOHN SMITH (Counsel):"
_WORD = re.compile(r"[\w.'’,&/#-]+")
_PARTICLES = frozenset(
    [
        "a",
        "al",
        "and",
        "da",
        "de",
        "del",
        "den",
        "der",
        "di",
        "du",
        "el",
        "la",
        "le",
        "of",
        "the",
        "van",
        "von",
    ]
)
# Single words that end a clause before a colon more often than they name anyone.
_NO_NAMES = frozenset(
    ["also", "and", "because", "but", "example", "http", "https", "is", "namely", "note", "or", "remember"]
    + ["said", "say", "says", "so", "that", "then", "this", "thus", "was"]
)
# Not allowed in a line: line breaks, and what readers take for binary data or a byte-order mark.
_UNHELD = re.compile("[\\r\\n\\0\ufeff]+")


def split_label(line: str) -> tuple[str, str] | None:
    """(speaker, text); None where the line has no label. `[]:` gives the speaker ""."""
    if ":" not in line:
        return None
    found = _BRACKETED.match(line)
    if found is None:
        found = _PLAIN.match(line)
        if found is None or not _could_be_name(found.group(1)):
            return None
    return found.group(1).strip(), line[found.end() :].strip()


def join_label(speaker: str, text: str) -> str:
    """The line that split_label splits again. Without a speaker no label, unless one would be found."""
    text = one_line(text)
    if not speaker and split_label(text) is None:
        return text
    speaker = one_line(speaker)
    plain = f"{speaker}: {text}"
    return plain if split_label(plain) == (speaker, text) else f"[{speaker}]: {text}"


def one_line(text: str) -> str:
    """On one line: line breaks, NUL and U+FEFF become a space."""
    return " ".join(part.strip() for part in _UNHELD.split(text) if part.strip())


def spoken(lines: list[str]) -> list[tuple[str, str]]:
    """(speaker, text) of the lines of one cue: a label begins a turn, other lines continue it."""
    turns: list[tuple[str, list[str]]] = []
    for line in lines:
        labelled = split_label(line)
        if labelled is not None:
            turns.append((labelled[0], [labelled[1]]))
        elif turns:
            turns[-1][1].append(line.strip())
        else:
            turns.append(("", [line.strip()]))
    return [(who, " ".join(part for part in parts if part)) for who, parts in turns]


def _could_be_name(label: str) -> bool:
    words = _NOTE.sub(" ", label).split()
    if not words or len(words) > 8 or not all(_WORD.fullmatch(word) for word in words):
        return False
    if len(words) == 1:
        return words[0].lower() not in _NO_NAMES
    return all(word in _PARTICLES or not word[0].islower() for word in words) and not _ends_sentence(words)


def _ends_sentence(words: list[str]) -> bool:
    """A full stop ends a name's word when it is an abbreviation ("Mr.", "R.T."), else a sentence."""
    return any(word.endswith(".") and len(word) > 5 and "." not in word[:-1] for word in words)
