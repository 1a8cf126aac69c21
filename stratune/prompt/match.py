"""A written answer -> the label it means, or none: strictly, for a guess would flatter the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class Matcher:
    """Label -> its words. An answer counts when its first line is one of the words.

    White space around it and one full stop behind it do not matter; neither does upper or lower case, as
    long as that tells no two words apart.
    """

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        said = [(word.strip(), k) for k, label in enumerate(words) for word in words[label]]
        folded = {word.casefold() for word, _ in said}
        self.fold = len(folded) == len(said)
        self.labels = {self._plain(word): k for word, k in said}
        self.count = len(words)

    def __call__(self, answers: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """N answers -> (N, K) ones and zeros, NaN where invalid; and which are invalid (N,)."""
        found = np.array([self.label(answer) for answer in answers], dtype=np.int64).reshape(-1)
        invalid = found < 0
        said = np.full((len(found), self.count), np.nan)
        said[~invalid] = np.eye(self.count)[found[~invalid]]
        return said, invalid

    def label(self, answer: str) -> int:
        """Its number; -1 for an answer that is no label."""
        lines = answer.strip().splitlines()
        line = lines[0].strip() if lines else ""
        for one in (line, line.removesuffix(".").rstrip()):
            if self._plain(one) in self.labels:
                return self.labels[self._plain(one)]
        return -1

    def _plain(self, text: str) -> str:
        return text.casefold() if self.fold else text
