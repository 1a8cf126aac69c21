"""A verbalizer scored by a server: by log-probabilities where it gives them, else by constrained answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError, RemoteError
from stratune.remote.request import Body, Request, endpoint_of
from stratune.remote.request_formats import RequestFormat, Way, Word, WordScores, request_formats
from stratune.remote.server import Server
from stratune.watch import SILENT, Progress

CHUNK = 1024  # answers held in memory at once
PILOT = 16  # rows asked first, to see whether the words' first tokens differ

Scores = tuple[NDArray[np.float64], NDArray[np.bool_]]


class RemoteVerbalizer:
    """Log-probabilities of the words that stand for each label.

    `way` is detected with the first requests. It changes from `logprobs` to `constrained` when a token that
    begins words of two labels has more than NEGLIGIBLE probability. A saved model gives its `way`, which then
    stays; a row with such a token is invalid.
    """

    def __init__(self, server: Server, words: Mapping[str, Sequence[str]], way: Way | None = None) -> None:
        self.server = server
        self.words = [Word(text, owner) for owner, own in enumerate(words.values()) for text in own]
        self.way: Way | None = way
        self._fixed = way is not None
        self._left: list[RequestFormat] | None = None  # formats not yet ruled out, the best first
        self._offered = False  # whether the server is known to support the first of them
        for word in self.words:
            if word.text != word.text.strip() or not word.text:
                raise ConfigError(f"{word.text!r} is empty or has white space around it", key="words")

    def log_probs(self, requests: Sequence[Request], progress: Progress = SILENT) -> Scores | None:
        """(N, W) log-probabilities, words in the order of the labels and then as given, and (N,) invalid.

        None when the server supports neither way: `way` is then "none", and only `generate` is left. An
        invalid row is all NaN. A constrained answer has log 1 for its word and `MIN_LOG_PROB` for the others.
        All requests go to one endpoint. Raises RemoteError.
        """
        if not requests:
            return np.zeros((0, len(self.words))), np.zeros(0, dtype=np.bool_)
        while (how := self._best_format(requests)) is not None:
            if self._fixed or all(one.distinct for one in self._each_request(how, requests[:PILOT], SILENT)):
                if (scores := self._scores(how, requests, progress)) is not None:
                    return scores
                progress = SILENT  # each row is reported once
            self._rule_out(how.way)
        if self._fixed and self.way != "none":
            why = f"it no longer offers {self.way!r}, which this model was made with"
            raise RemoteError(f"{self.server.address.url}: {why}")
        self.way = "none"
        return None

    def bodies(self, requests: Sequence[Request]) -> list[Body]:
        """What `log_probs` would send: in the detected format, or else the first that is tried."""
        left = self._candidates(requests) if requests else []
        return [left[0].body(request, self.server.address.model) for request in requests if left]

    # -- helpers

    def _candidates(self, requests: Sequence[Request]) -> list[RequestFormat]:
        if self._left is None:
            every = request_formats(endpoint_of(requests), self.words)
            self._left = [how for how in every if self.way in (None, how.way)]
        return self._left

    def _best_format(self, requests: Sequence[Request]) -> RequestFormat | None:
        """The best format that the server supports, detected with the first request."""
        left = self._candidates(requests)
        while left and not self._offered:
            if self._probe(left[0], requests[0]):
                self._offered, self.way = True, left[0].way
            else:
                left.pop(0)
        return left[0] if left else None

    def _rule_out(self, way: Way) -> None:
        self._left = [how for how in self._left or [] if how.way != way]
        self._offered = False

    def _probe(self, how: RequestFormat, request: Request) -> bool:
        answer = self.server.probe(request.endpoint, how.body(request, self.server.address.model))
        return answer is not None and how.read(answer, self.words) is not None

    def _scores(self, how: RequestFormat, requests: Sequence[Request], progress: Progress) -> Scores | None:
        """None when this way turns out not to distinguish the labels."""
        rows = np.full((len(requests), len(self.words)), np.nan)
        for i, scores in enumerate(self._each_request(how, requests, progress)):
            if scores.distinct:
                rows[i] = scores.log_probs
            elif not self._fixed:
                return None
        return rows, np.isnan(rows).any(axis=1)

    def _each_request(
        self, how: RequestFormat, requests: Sequence[Request], progress: Progress
    ) -> Iterator[WordScores]:
        nothing = WordScores(np.full(len(self.words), np.nan))
        for start in range(0, len(requests), CHUNK):
            part = requests[start : start + CHUNK]
            bodies = [how.body(request, self.server.address.model) for request in part]
            for answer in self.server.ask(endpoint_of(part), bodies, progress):
                yield how.read(answer, self.words) or nothing
