"""A generated answer -> its label, or none. Matching is strict: guessing would inflate the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class Matcher:
    """`words`: the verbalizer. An answer is valid when its first line is one of the words.

    White space around the word and one full stop after it are ignored.
    So is case, unless two words differ in case only.
    """

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        owned = [(word.strip(), k) for k, label in enumerate(words) for word in words[label]]
        folded = {word.casefold() for word, _ in owned}
        self.fold = len(folded) == len(owned)
        self.labels = {self._plain(word): k for word, k in owned}
        self.count = len(words)

    def __call__(self, answers: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """N answers -> probabilities (N, K) of 1 and 0, NaN where invalid; and (N,) which are invalid."""
        found = np.array([self.label(answer) for answer in answers], dtype=np.int64).reshape(-1)
        invalid = found < 0
        probabilities = np.full((len(found), self.count), np.nan)
        probabilities[~invalid] = np.eye(self.count)[found[~invalid]]
        return probabilities, invalid

    def label(self, answer: str) -> int:
        """The number of the label; -1 for an answer that is no label."""
        lines = answer.strip().splitlines()
        line = lines[0].strip() if lines else ""
        for one in (line, line.removesuffix(".").rstrip()):
            if self._plain(one) in self.labels:
                return self.labels[self._plain(one)]
        return -1

    def _plain(self, text: str) -> str:
        return text.casefold() if self.fold else text
