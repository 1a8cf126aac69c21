"""Words and marks: punctuation, contractions, what a speech recogniser writes, fillers."""

from __future__ import annotations

import re
import unicodedata
from random import Random

from stratune.perturb.places import cased
from stratune.perturb.registry import perturbation
from stratune.perturb.tables import CONTRACTIONS, FILLERS, HOMOPHONES

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_GAP = re.compile(r"(?<=\w) (?=\w)")  # not after a mark: "Well, uh, yes" needs none of its own
_KEPT = "%&@#"  # they are read as words
_JOINS = "-–—/…"  # between two words they are a blank: `well-known`, but `dont`


@perturbation("punctuation", "without marks", 1.0)
def punctuation(text: str, random: Random, strength: float) -> str:
    """`strength`: the share of the marks that go. Those within a number stay: 3.5 is not 35."""
    kept = []
    for at, mark in enumerate(text):
        if not unicodedata.category(mark).startswith("P") or mark in _KEPT:
            kept.append(mark)
            continue
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        if (before.isdigit() and after.isdigit()) or random.random() >= strength:
            kept.append(mark)
        elif mark in _JOINS and before.isalnum() and after.isalnum():
            kept.append(" ")
    return "".join(kept)


@perturbation("contractions", "do not as don't, and don't as do not", 1.0)
def contractions(text: str, random: Random, strength: float) -> str:
    """`strength`: the share of those that are in CONTRACTIONS."""

    def other(found: re.Match[str]) -> str:
        return cased(found[0], _OTHER[found[0].lower()]) if random.random() < strength else found[0]

    return _EITHER.sub(other, text)


_OTHER = {**CONTRACTIONS, **{short: long for long, short in CONTRACTIONS.items()}}
_LONGEST_FIRST = "|".join(map(re.escape, sorted(_OTHER, key=len, reverse=True)))
# Not in front of a pronoun: "isn't she?" is no "is not she?".
_EITHER = re.compile(rf"\b(?:{_LONGEST_FIRST})\b(?!\s+(?:I|you|he|she|it|we|they)\b)", re.IGNORECASE)


@perturbation("speech", "as a speech recogniser writes: no case, no marks, words that sound alike", 0.3)
def speech(text: str, random: Random, strength: float) -> str:
    """`strength`: the share of the words of HOMOPHONES that are written as another one."""

    def heard(found: re.Match[str]) -> str:
        others = HOMOPHONES.get(found[0])
        return random.choice(others) if others and random.random() < strength else found[0]

    return " ".join(punctuation(_WORD.sub(heard, text.lower().replace("’", "'")), random, 1.0).split())


@perturbation("fillers", "uh, um, you know between words", 0.15)
def fillers(text: str, random: Random, strength: float) -> str:
    """`strength`: the share of the gaps between two words that get one."""
    return _GAP.sub(
        lambda found: f" {random.choice(FILLERS)}, " if random.random() < strength else found[0], text
    )
