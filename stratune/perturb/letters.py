"""Letters and the blanks between words: typos, case, white space."""

from __future__ import annotations

import re
from random import Random

from stratune.perturb.registry import perturbation

_WORD = re.compile(r"[^\W\d_]{3,}")  # shorter words are often another word after one slip
_BLANK = re.compile(r"\s+")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    """Letter -> the letters beside it on an English keyboard; each row stands half a key further right."""
    near: dict[str, str] = {}
    for number, row in enumerate(_ROWS):
        for place, letter in enumerate(row):
            found = row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
            if number:
                found += _ROWS[number - 1][place : place + 2]
            if number + 1 < len(_ROWS):
                found += _ROWS[number + 1][max(place - 1, 0) : place + 1]
            near[letter] = found
    return near


NEIGHBOURS = _neighbours()


@perturbation("typos", "letters swapped, dropped, doubled, or hit on the next key", 0.2)
def typos(text: str, random: Random, strength: float) -> str:
    """One slip in a word of three letters or more; `strength` is the share of such words."""
    return _WORD.sub(lambda found: _slip(found[0], random) if random.random() < strength else found[0], text)


def _slip(word: str, random: Random) -> str:
    """Not in the first letter, which people hardly ever miss."""
    at = random.randrange(1, len(word))
    kind = random.choice(("swap", "drop", "double", "neighbour"))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    near = NEIGHBOURS.get(letter.lower(), "")
    if kind == "swap" and at + 1 < len(word) and after[0] != letter:
        return before + after[0] + letter + after[1:]
    if kind == "drop":
        return before + after
    if kind == "neighbour" and near:
        hit = random.choice(near)
        return before + (hit.upper() if letter.isupper() else hit) + after
    return before + letter + letter + after


@perturbation("case", "all in lower case, or all in capitals", 1.0)
def case(text: str, random: Random, strength: float) -> str:
    """One of the two for the whole text; `strength` is the share of its words."""
    ways = [way for way in (str.lower, str.upper) if way(text) != text]
    if not ways:  # a script without capitals
        return text
    way = random.choice(ways)
    return re.sub(r"\S+", lambda found: way(found[0]) if random.random() < strength else found[0], text)


@perturbation("white_space", "two blanks, a tab or a line break between words", 0.3)
def white_space(text: str, random: Random, strength: float) -> str:
    """`strength`: the share of the gaps. No gap goes away, so words stay words."""

    def other(found: re.Match[str]) -> str:
        if random.random() >= strength:
            return found[0]
        return random.choice(("  ", "\t", "\n", " \n ", "    "))

    return _BLANK.sub(other, text)
