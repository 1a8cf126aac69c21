"""Label words scored by a server: log-probabilities where it gives them, else answers it cannot get wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError, RemoteError
from stratune.remote.request import Body, Question, endpoint_of
from stratune.remote.request_formats import Form, Reading, Way, Word, forms
from stratune.remote.server import Server
from stratune.watch import SILENT, Progress

CHUNK = 1024  # answers held in memory at once
PILOT = 16  # questions that show whether the words' first tokens differ, before all are asked

Scores = tuple[NDArray[np.float64], NDArray[np.bool_]]


class RemoteWords:
    """Log-probabilities of the words that stand for each label.

    `way` is found out with the first questions, and may later turn from `logprobs` to `constrained`, when a
    token with real probability begins words of two labels. Given a `way` (a model's that was saved), it stays
    with that, and a row in which such a token shows up is invalid.
    """

    def __init__(self, server: Server, words: Mapping[str, Sequence[str]], way: Way | None = None) -> None:
        self.server = server
        self.words = [Word(text, owner) for owner, said in enumerate(words.values()) for text in said]
        self.way: Way | None = way
        self._fixed = way is not None
        self._left: list[Form] | None = None  # ways not yet ruled out, the best first
        self._offered = False  # whether the server is known to do the first of them
        for word in self.words:
            if word.text != word.text.strip() or not word.text:
                raise ConfigError(f"{word.text!r} is empty or has white space around it", key="words")

    def log_probs(self, questions: Sequence[Question], progress: Progress = SILENT) -> Scores | None:
        """(N, W) log-probabilities, words in the order of the labels and then as given, and (N,) invalid.

        None when the server offers neither way: `way` is then "none", and what is left is to `generate`.
        An invalid row is NaN throughout. A constrained answer is log 1 for its word and `NEVER` for the
        others. The questions are of one kind; `progress` is told how many have been answered since. Raises
        RemoteError.
        """
        if not questions:
            return np.zeros((0, len(self.words))), np.zeros(0, dtype=np.bool_)
        while (form := self._form(questions)) is not None:
            if self._fixed or all(one.clear for one in self._readings(form, questions[:PILOT], SILENT)):
                if (scores := self._scores(form, questions, progress)) is not None:
                    return scores
                progress = SILENT  # it hears of each row once
            self._rule_out(form.way)
        if self._fixed and self.way != "none":
            why = f"it no longer offers {self.way!r}, by which this model was made"
            raise RemoteError(f"{self.server.address.url}: {why}")
        self.way = "none"
        return None

    def bodies(self, questions: Sequence[Question]) -> list[Body]:
        """What `log_probs` sends for them: by the way found, or the first to be tried."""
        left = self._candidates(questions) if questions else []
        return [left[0].body(question, self.server.address.model) for question in questions if left]

    # -- pieces

    def _candidates(self, questions: Sequence[Question]) -> list[Form]:
        if self._left is None:
            every = forms(endpoint_of(questions), self.words)
            self._left = [form for form in every if self.way in (None, form.way)]
        return self._left

    def _form(self, questions: Sequence[Question]) -> Form | None:
        """The best that the server does, found out with the first question."""
        left = self._candidates(questions)
        while left and not self._offered:
            if self._probe(left[0], questions[0]):
                self._offered, self.way = True, left[0].way
            else:
                left.pop(0)
        return left[0] if left else None

    def _rule_out(self, way: Way) -> None:
        self._left = [form for form in self._left or [] if form.way != way]
        self._offered = False

    def _probe(self, form: Form, question: Question) -> bool:
        answer = self.server.probe(question.endpoint, form.body(question, self.server.address.model))
        return answer is not None and form.read(answer, self.words) is not None

    def _scores(self, form: Form, questions: Sequence[Question], progress: Progress) -> Scores | None:
        """None when the way turns out not to tell the labels apart."""
        rows = np.full((len(questions), len(self.words)), np.nan)
        for i, reading in enumerate(self._readings(form, questions, progress)):
            if reading.clear:
                rows[i] = reading.log_probs
            elif not self._fixed:
                return None
        return rows, np.isnan(rows).any(axis=1)

    def _readings(self, form: Form, questions: Sequence[Question], progress: Progress) -> Iterator[Reading]:
        nothing = Reading(np.full(len(self.words), np.nan))
        for start in range(0, len(questions), CHUNK):
            part = questions[start : start + CHUNK]
            bodies = [form.body(question, self.server.address.model) for question in part]
            for answer in self.server.ask(endpoint_of(part), bodies, progress):
                yield form.read(answer, self.words) or nothing
