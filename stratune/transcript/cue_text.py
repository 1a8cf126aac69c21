"""The lines of a caption as turns: `NAME:`, `>>` and dashes begin one, `(Name)` where most have it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from stratune.transcript.exports.believed import is_common
from stratune.transcript.label import split_label
from stratune.transcript.noise_words import NOISE

Spoken = tuple[str, str]  # speaker, text

_BRACKETED = re.compile(r"\s*\[.*?\]:(?:\s|$)")
_OPENS = re.compile(r"\s*(?:>>+|&gt;&gt;(?:&gt;)*)\s*")
_INSIDE = re.compile(r"\s(?:>>+|&gt;&gt;(?:&gt;)*)\s")
_DASH = re.compile(r"\s*[-–—‐]\s*(?=\S)")
_IN_MARKS = re.compile(r"\s*[(\[]([^()\[\]:]{1,60})[)\]]\s*")
_MOST_NAME_WORDS = 5


def spoken_turns(lines: Sequence[str]) -> list[Spoken]:
    """(speaker, text) of the lines of one cue. Lines that open nothing continue the turn before them.

    `[Name]:` is taken as it is, nothing in it is a mark: that is how any text can be written.
    """
    dashes = sum(_DASH.match(line) is not None for line in lines) > 1
    turns: list[tuple[str, list[str]]] = []
    for line in lines:
        bare = line if _BRACKETED.match(line) else _INSIDE.sub("\n>> ", line)
        for number, part in enumerate(bare.split("\n")):
            _take(part, turns, dashes and number == 0)
    return [(who, " ".join(part for part in parts if part)) for who, parts in turns]


def _take(line: str, turns: list[tuple[str, list[str]]], dashes: bool) -> None:
    opens = _OPENS.match(line)
    text = line[opens.end() :] if opens is not None else line
    labelled = split_label(text)
    if labelled is not None and (_BRACKETED.match(text) or not is_common(labelled[0])):
        turns.append((labelled[0], [labelled[1]]))
    elif opens is not None or (dashes and _DASH.match(line)):
        turns.append(("", [(text if opens is not None else _DASH.sub("", text, count=1)).strip()]))
    elif turns:
        turns[-1][1].append(text.strip())
    else:
        turns.append(("", [text.strip()]))


def bracketed_names(turns: Sequence[Spoken]) -> list[Spoken]:
    """(Ann Lee) Good morning: the name in front as the speaker, where at least half of the turns have one.

    A name is not the word of a noise, and is met twice or written with capitals in two words or more.
    """
    found = [None if who else _IN_MARKS.match(text) for who, text in turns]
    names = Counter(mark.group(1).strip() for mark in found if mark is not None)
    known = {name for name, count in names.items() if _name_like(name, count)}
    named = sum(names[name] for name in known)
    if named < 2 or 2 * named < len(turns):
        return list(turns)
    return [
        (mark.group(1).strip(), text[mark.end() :])
        if mark is not None and mark.group(1).strip() in known
        else (who, text)
        for mark, (who, text) in zip(found, turns, strict=True)
    ]


def _name_like(name: str, count: int) -> bool:
    words = name.split()
    if not words or len(words) > _MOST_NAME_WORDS or any(word.lower().strip(".,") in NOISE for word in words):
        return False
    capitals = all(word[0].isupper() or not word[0].isalpha() for word in words) and words[0][0].isalpha()
    return capitals and (count > 1 or len(words) > 1)
