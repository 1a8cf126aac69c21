"""A verbalizer scored by a server, in the best way that it offers: remote/request_formats.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError, RemoteError
from stratune.model.label_mass import LEAST_MASS, median_mass
from stratune.remote.request import Body, Form, Request, Requests
from stratune.remote.request_formats import FORMS, WAYS, Questions, RequestFormat, Way, request_formats
from stratune.remote.response import reply_of
from stratune.remote.rows import CHUNK
from stratune.remote.server import Server
from stratune.remote.walk import Word, WordScores
from stratune.watch import SILENT, Progress

PILOT = 16  # rows asked first, to see whether the words are what the model says
THINKS = "the model thinks before it answers"
ALIKE = "its tokens do not tell the labels apart"


@dataclass(frozen=True)
class Manner:
    """How a server is asked: a kind of request, in a form."""

    format: RequestFormat
    form: Form

    def in_words(self) -> str:
        return f"{WAYS[self.format.way]} ({FORMS[self.form]})"


@dataclass(frozen=True)
class RowScores:
    """N rows: (N, W) log-probabilities of the words, NaN in rows without an answer; their mass (N,); `why`
    there is no answer ("" where there is one); `distinct` (N,): whether the tokens distinguish the labels.
    """

    log_probs: NDArray[np.float64]
    mass: NDArray[np.float64]
    why: list[str]
    distinct: NDArray[np.bool_]

    @property
    def invalid(self) -> NDArray[np.bool_]:
        return np.asarray(np.isnan(self.log_probs).any(axis=1))

    @classmethod
    def of(cls, scores: Sequence[WordScores], words: int) -> RowScores:
        distinct = np.array([one.distinct for one in scores], dtype=np.bool_)
        found = np.array([one.log_probs for one in scores], dtype=np.float64).reshape(len(scores), words)
        found[~distinct] = np.nan
        why = [one.why if one.distinct else ALIKE for one in scores]
        return cls(found, np.array([one.mass for one in scores], dtype=np.float64), why, distinct)


class RemoteVerbalizer:
    """Log-probabilities of the words that stand for each label.

    `way` and `form` are found with the first rows: the best that the server offers in which the words are
    what the model says. A saved model gives its own, which then stay; the user may ask for `only` one way.
    `room`: tokens for a thought.
    """

    def __init__(
        self,
        server: Server,
        words: Mapping[str, Sequence[str]],
        way: Way | None = None,
        form: Form | None = None,
        room: int = 0,
        only: Way | None = None,
    ) -> None:
        self.server = server
        self.words = [Word(text, owner) for owner, own in enumerate(words.values()) for text in own]
        self.way: Way | None = way
        self.form: Form | None = form
        self.room = room
        self.reasons: list[str] = []  # why no better way was taken
        self.only = only
        self._fixed = way is not None
        self._left: list[Manner] | None = None  # not yet ruled out, the best first
        self._offers: Manner | None = None  # of those left the first, where the server is known to offer it
        self._taken: Manner | None = None
        for word in self.words:
            if word.text != word.text.strip() or not word.text:
                raise ConfigError(f"{word.text!r} is empty or has white space around it", key="words")

    def log_probs(self, requests: Requests, progress: Progress = SILENT) -> RowScores | None:
        """Words in the order of the labels and then as given.

        None when the server supports none of the ways: `way` is then "none", and only `generate` is left. A
        constrained answer has log 1 for its word and `MIN_LOG_PROB` for the others. Raises RemoteError.
        """
        if not requests.rows:
            return RowScores.of([], len(self.words))
        while (manner := self._best(requests)) is not None:
            scores = self._scores(manner, requests, range(len(requests.rows)), progress)
            if self._fixed or scores.distinct.all():
                return scores
            self._rule_out(manner, ALIKE)
            progress = SILENT  # each row is reported once
        if self._fixed and self.way != "none":
            why = f"it no longer offers {self.way!r}, which this model was made with"
            raise RemoteError(f"{self.server.address.url}: {why}")
        if self.only is not None:
            why = f"it does not offer {WAYS[self.only]}, which remote.way asks for"
            raise RemoteError("; ".join([f"{self.server.address.url}: {why}", *self.reasons]))
        self.way, self.form = "none", None
        return None

    def bodies(self, requests: Requests) -> list[Body]:
        """What `log_probs` would send first, in the best manner that the server offers. One row is asked
        about where that is not yet known. Empty where it offers none. Raises RemoteError.
        """
        manner = self._taken or self._first_offered(requests)
        if manner is None or not requests.rows:
            return []
        questions = self._questions(manner, requests)
        return [body for request in requests.rows for body in manner.format.bodies(request, questions)]

    def in_words(self) -> str:
        """How the server was asked, and why in no better way; empty before it was."""
        if self.way is None:
            return ""
        taken = self._taken.in_words() if self._taken else WAYS[self.way]
        return "; ".join([taken, *self.reasons])

    # -- which manner

    def _candidates(self, requests: Requests) -> list[Manner]:
        if self._left is None:
            first = requests.rows[0]
            every = [
                Manner(how, form)
                for how in request_formats(first.endpoint, self.words)
                for form in how.forms(first)
            ]
            self._left = [
                one
                for one in every
                if self.way in (None, one.format.way)
                and self.form in (None, one.form)
                and self.only in (None, one.format.way)
            ]
        return self._left

    def _best(self, requests: Requests) -> Manner | None:
        """The first manner that the server offers and that the words fit, or the one that they fit best."""
        if self._taken is not None:
            return self._taken
        pilot = range(min(PILOT, len(requests.rows)))
        weak: list[tuple[float, Manner]] = []
        while (manner := self._first_offered(requests)) is not None:
            if self._fixed:
                return self._take(manner)
            scores = self._scores(manner, requests, pilot, SILENT)
            mass = median_mass(scores.mass)  # None: such answers do not show it
            if not scores.distinct.all():
                self._rule_out(manner, ALIKE)
            elif mass is not None and mass < LEAST_MASS:
                weak.append((mass, manner))
                self._rule_out(manner, f"the labels' words had {mass:.2g} of the probability")
            else:
                return self._take(manner)
        best = max(weak, key=lambda one: one[0], default=None)
        return self._take(best[1]) if best is not None else None

    def _first_offered(self, requests: Requests) -> Manner | None:
        """The first of those left that the server offers; what it does not offer is left no longer."""
        while requests.rows and (left := self._candidates(requests)):
            if left[0] is self._offers or self._is_offered(left[0], requests):
                self._offers = left[0]
                return left[0]
            left.pop(0)
        return None

    def _take(self, manner: Manner) -> Manner:
        self._taken, self.way, self.form = manner, manner.format.way, manner.form
        return manner

    def _rule_out(self, manner: Manner, why: str) -> None:
        """With it all that would see the same tokens: what is constrained, or in another form, is left."""
        self.reasons.append(f"not {manner.in_words()}: {why}")
        self._taken = None
        seen = manner.form if manner.format.sees_mass else None
        self._left = [
            one
            for one in self._left or []
            if one is not manner and not (one.format.sees_mass and one.form == seen)
        ]

    def _is_offered(self, manner: Manner, requests: Requests) -> bool:
        """Whether the server does what it is asked, for the shortest of the first rows."""
        request = min(requests.rows[:PILOT], key=lambda one: one.characters)
        for _ in range(2):  # again with room, where the model turns out to think
            body = manner.format.bodies(request, self._questions(manner, requests))[0]
            answer = self.server.probe(request.endpoint, body)
            if answer is None:
                return False
            if not (reply_of(answer).thinking and manner.form == "open") or self.room:
                return manner.format.understood(answer, request, self.words) and self._is_true(
                    manner, requests, request
                )
            self.room = self.server.retry_policy.thought
            if THINKS not in self.reasons:
                self.reasons.append(THINKS)
        return False

    def _is_true(self, manner: Manner, requests: Requests, request: Request) -> bool:
        if manner.format.contradicted(self._questions(manner, requests), request):
            self.reasons.append(f"not {manner.in_words()}: they are not those of its next tokens")
            return False
        return True

    # -- scores

    def _scores(
        self, manner: Manner, requests: Requests, rows: Sequence[int], progress: Progress
    ) -> RowScores:
        questions = self._questions(manner, requests)
        found: list[WordScores] = []
        for start in range(0, len(rows), CHUNK):
            found += manner.format.scores(questions, rows[start : start + CHUNK], progress)
        return RowScores.of(found, len(self.words))

    def _questions(self, manner: Manner, requests: Requests) -> Questions:
        return Questions(self.server, requests, self.words, manner.form, self.room)
