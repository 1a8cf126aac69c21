"""A generated answer -> its label, or none. Matching is strict: guessing would inflate the score."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

AROUND = "\"'`*_“”‘’«» \t"  # quotes, bold and italics around a label
# "Label: X", "The class is X": what says that a label follows, and nothing else
NAMED = re.compile(
    r"(?:the\s+)?(?:(?:final|correct|predicted)\s+)?"
    r"(?:label|class|category|answer|rating|score|sentiment|prediction|output)\s*(?:is\b|:|=)",
    re.IGNORECASE,
)


class Matcher:
    """`words`: the verbalizer. An answer is valid when its first line is one of the words.

    Around the word there may be white space, quotes, marks of bold type, a full stop, "Label:" and the
    template's own sentence (`before` and `behind` the label). Case is ignored, unless two words differ in
    case only.
    """

    def __init__(self, words: Mapping[str, Sequence[str]], before: str = "", behind: str = "") -> None:
        owned = [(word.strip(), k) for k, label in enumerate(words) for word in words[label]]
        folded = {word.casefold() for word, _ in owned}
        self.fold = len(folded) == len(owned)
        self.labels = {self._plain(word): k for word, k in owned}
        self.count = len(words)
        self.before, self.behind = self._plain(before.strip()), self._plain(behind.strip())

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
        line = self._plain(lines[0].strip()) if lines else ""
        for one in self._readings(line):
            if one in self.labels:
                return self.labels[one]
        return -1

    def _readings(self, line: str) -> Iterator[str]:
        """The line as it is, and with less and less around it; the words themselves may have marks."""
        yield line
        yield line.removesuffix(".").rstrip()
        bare = line.strip(AROUND)
        own = bare.removeprefix(self.before).lstrip() if self.before else bare
        named = NAMED.match(own)
        for one in (own, own[named.end() :]) if named else (own,):
            for end in (self.behind, "."):
                less = one.strip(AROUND)
                yield less
                one = less.removesuffix(end) if end else less
                yield one.strip(AROUND)

    def _plain(self, text: str) -> str:
        return text.casefold() if self.fold else text
