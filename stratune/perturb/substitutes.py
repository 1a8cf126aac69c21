"""What an attack may write in place of a word: typos of it, or its nearest neighbours among word vectors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stratune.perturb.letters import NEIGHBOURS
from stratune.perturb.places import cased

By = Literal["typos", "words"]
Substitutes = Callable[[str, Random], list[str]]  # of a word, none of them the word itself

MOST = 8  # substitutes of a word
NEAR = 0.45  # cosine of the vectors of two words, below which one is no neighbour of the other
_AT_ONCE = 512  # words that are compared with the whole vocabulary at a time


def typos(word: str, random: Random) -> list[str]:
    """Two swaps of letters, omissions, keys beside the right one, and insertions, at places that are drawn;
    the first letter stays, as people read by it (DeepWordBug, Gao et al. 2018).
    """
    found: dict[str, None] = {}
    inside = range(1, len(word))
    for _ in range(MOST // 4):
        at = random.choice(inside)
        beside = _key_beside(word[at], random)
        found[word[:at] + word[at + 1 :]] = None
        found[word[:at] + beside + word[at + 1 :]] = None
        found[word[:at] + _key_beside(word[at], random) + word[at:]] = None
        if len(word) > 2:
            at = random.choice(range(1, len(word) - 1))
            found[word[:at] + word[at + 1] + word[at] + word[at + 2 :]] = None
    return [one for one in found if one != word]


def _key_beside(letter: str, random: Random) -> str:
    """Of a letter that no English keyboard has, the letter itself: it is doubled, or stays."""
    near = NEIGHBOURS.get(letter.lower())
    if near is None:
        return letter
    found = random.choice(near)
    return found.upper() if letter.isupper() else found


def neighbours(
    words: Collection[str], vocabulary: Sequence[str], vectors: NDArray[np.floating]
) -> Substitutes:
    """Of each of `words` that is in the `vocabulary`, of V words, the nearest others by the cosine of their
    `vectors` (V, E); nearest first, in the capitals of the word (TextFooler, Jin et al. 2020, with the input
    embeddings of a language model in place of counter-fitted vectors).
    """
    index = {word: number for number, word in enumerate(vocabulary)}
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
    wanted = sorted({lower for word in words if (lower := word.lower()) in index})
    near: dict[str, list[str]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        own = np.array([index[word] for word in some])
        cosines = unit[own] @ unit.T  # (b, V)
        cosines[np.arange(len(some)), own] = -1.0
        for word, row in zip(some, cosines, strict=True):
            nearest = np.argsort(-row, kind="stable")[:MOST]
            near[word] = [vocabulary[i] for i in nearest if row[i] >= NEAR]

    def of(word: str, random: Random) -> list[str]:
        return [cased(word, one) for one in near.get(word.lower(), ())]

    return of
