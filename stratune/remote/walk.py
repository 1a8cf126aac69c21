"""Probabilities of words from lists of the likeliest next tokens: a walk along the tokens that spell them.

A token counts for a word only as far as the text that it begins becomes that word: "I" begins `irrelevant`,
and "I am sorry" does not. So a token that spells a part of a word is gone on from, where the server lets the
text be continued, or along the tokens that it wrote itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stratune.remote.response import Listed

MIN_LOG_PROB = math.log(1e-12)  # stands for the log of zero
NEGLIGIBLE = 0.01  # what begins a word with less probability than this is not gone on from
AROUND = "\"'`*_“‘"  # what models put in front of an answer, beside white space
BLANK = 4  # characters of that, at most
CREDIBLE = 3  # characters of a part of a word that is taken for the word, unasked, whatever its case


@dataclass(frozen=True)
class Word:
    text: str
    owner: int  # the number of its label


@dataclass(frozen=True)
class WordScores:
    """`log_probs` (W,) of the words; NaN when the answer names none of them, and then `why`. `mass`: the
    probability that the words had together, NaN where it is not known.
    """

    log_probs: NDArray[np.float64]
    distinct: bool = True  # False: the tokens do not distinguish the labels
    mass: float = math.nan
    why: str = ""

    @classmethod
    def unanswered(cls, words: int, why: str, mass: float = math.nan) -> WordScores:
        return cls(np.full(words, np.nan), mass=mass, why=why)


class Walk:
    """The way of one row's answer along the words. `open`: texts said so far that are still to be asked
    about, each with its probability; at first the empty one.
    """

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = words
        self.open: dict[str, float] = {"": 1.0}
        self._found = np.zeros(len(words))  # (W,)
        self._lowest = 0.0  # log-probability of the last token listed for the beginning
        self._likeliest = ""  # token that is listed first for the beginning
        self._plain = folding([word.text for word in words])
        begins = {word.text[:1] for word in words}
        self._around = " \t\n" + "".join(mark for mark in AROUND if mark not in begins)

    def read(self, said: str, listed: Listed) -> None:
        """The likeliest tokens after `said`, which is then no longer open."""
        before = self.open.pop(said)
        if not said:
            self._lowest = max(MIN_LOG_PROB, min((value for _, value in listed), default=MIN_LOG_PROB))
            self._likeliest = max(listed, key=lambda one: one[1], default=("nothing", 0.0))[0]
        for token, log_prob in listed:
            self._take(said, said + token, before * math.exp(log_prob))

    def along(self, positions: Sequence[tuple[str, Listed]]) -> None:
        """What the server wrote by itself, token after token, as far as it spells words."""
        said = ""
        for token, listed in positions:
            if said not in self.open:
                return
            self.read(said, listed)
            said += token

    def asked_next(self) -> list[str]:
        """The texts that are likely enough to be gone on from."""
        return [said for said, probability in self.open.items() if said and probability >= NEGLIGIBLE]

    def scores(self) -> WordScores:
        """What remains open is taken for the word that it begins, where it is of one label and looks like it.

        A label none of whose words is found gets the lowest probability listed first, shared by its words: an
        upper bound, because a token that is not listed is less likely. All NaN when no word is found.
        """
        found, ambiguous = self._found.copy(), 0.0
        for said, probability in self.open.items():
            begun = self._begun(said) if said.lstrip(self._around) else []
            if len({self.words[i].owner for i in begun}) > 1:
                ambiguous += probability
            elif begun and self._credible(said, begun):
                found[begun[0]] += probability
        distinct, mass = ambiguous < NEGLIGIBLE, float(min(1.0, found.sum()))
        if not found.any():
            why = f"no label is among the likeliest tokens; {self._likeliest!r} is first"
            return replace(WordScores.unanswered(len(found), why, 0.0), distinct=distinct)
        with np.errstate(divide="ignore"):  # log 0 becomes MIN_LOG_PROB
            rows = np.maximum(np.log(found), MIN_LOG_PROB)
        owners = np.array([word.owner for word in self.words])
        for owner in set(owners.tolist()):
            own = owners == owner
            if not found[own].any():
                rows[own] = self._lowest - math.log(own.sum())
        return WordScores(rows, distinct, mass)

    # -- helpers

    def _take(self, before: str, text: str, probability: float) -> None:
        """A text that may be said: it is a word, or begins some, or blank, or something else."""
        core = self._plain(text.lstrip(self._around))
        if core:
            goes_on = any(len(self._plain(self.words[i].text)) > len(core) for i in self._begun(text))
        else:
            goes_on = len(text) <= BLANK
        if goes_on and text != before:
            self.open[text] = self.open.get(text, 0.0) + probability
            return
        whole = [i for i, word in enumerate(self.words) if core and self._is(core, self._plain(word.text))]
        if whole:
            self._found[max(whole, key=lambda i: len(self.words[i].text))] += probability

    def _begun(self, said: str) -> list[int]:
        """The words that a text begins."""
        core = self._plain(said.lstrip(self._around))
        return [i for i, word in enumerate(self.words) if self._plain(word.text).startswith(core)]

    @staticmethod
    def _is(core: str, word: str) -> bool:
        """Whether a text is the word, or the word with something behind it that ends words."""
        return core.startswith(word) and not core[len(word) : len(word) + 1].isalnum()

    def _credible(self, said: str, begun: Sequence[int]) -> bool:
        core = said.strip(self._around)
        exact = any(self.words[i].text.startswith(core) for i in begun)
        whole = any(self._plain(self.words[i].text) == self._plain(core) for i in begun)
        return whole or len(core) >= CREDIBLE or (exact and len(core) > 1)


def folding(texts: Sequence[str]) -> Callable[[str], str]:
    """Ignore case, unless two words differ in case alone."""
    return str.casefold if len({text.casefold() for text in texts}) == len(texts) else str
