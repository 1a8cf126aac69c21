"""A language model on a server: log-probabilities where the server gives them, else generated answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from stratune.model.language import LabelScores, LanguageModel, Writing
from stratune.remote.address import parse_address
from stratune.remote.answers import Answers
from stratune.remote.named import Servers
from stratune.remote.server import RetryPolicy, Server
from stratune.remote.verbalizer import RemoteVerbalizer
from stratune.remote.writing import generate, writing_bodies
from stratune.watch import Progress

if TYPE_CHECKING:
    from stratune.remote.request import Body, Requests
    from stratune.remote.request_formats import Way

ANSWER_TOKENS = 16  # most tokens of a generated answer, unless `max_new_tokens` is set


@dataclass
class ServerLanguageModel(LanguageModel):
    """`way`: how a saved model was asked; it is then asked in no other way. None: detect it."""

    server: Server
    way: Way | None = None
    _verbalizers: dict[Any, RemoteVerbalizer] = field(default_factory=dict, repr=False)  # by words

    paid = True

    def log_probs(self, prompts: Requests, progress: Progress) -> LabelScores | None:
        scores = self._words(prompts.words).log_probs(prompts.rows, progress)
        if scores is None:
            return None
        log_probs, invalid = scores
        return LabelScores(_by_label(log_probs, list(prompts.words.values())), invalid)

    def generate(self, prompts: Requests, how: Writing, progress: Progress) -> list[str]:
        return generate(self.server, prompts.rows, **_options(how), progress=progress)

    def bodies(self, prompts: Requests, writing: Writing | None, otherwise: Writing) -> list[Body]:
        """The bodies of the requests for these rows; nothing is sent."""
        bodies = [] if writing else self._words(prompts.words).bodies(prompts.rows)
        return bodies or writing_bodies(self.server, prompts.rows, **_options(writing or otherwise))

    def write(self, folder: Path, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        return {"server": {"way": self._words(words).way}}

    def _words(self, words: Mapping[str, Sequence[str]]) -> RemoteVerbalizer:
        key = tuple(words.items())
        if key not in self._verbalizers:
            self._verbalizers[key] = RemoteVerbalizer(self.server, words, self.way)
        return self._verbalizers[key]


def open_server(
    address: str,
    servers: Servers,
    policy: RetryPolicy | None = None,
    way: Way | None = None,
    *,
    where: str = "backbone",
) -> ServerLanguageModel:
    """Sends nothing yet. Raises ConfigError for a string that is not an address, or one that is not among
    `servers`, which the user named; `where` is what named it.
    """
    parsed = parse_address(address)
    variable = servers.variable(parsed.url, where)
    return ServerLanguageModel(Server(parsed, policy or RetryPolicy(), Answers(), variable=variable), way)


def _options(how: Writing) -> dict[str, Any]:
    most = how.max_new_tokens or ANSWER_TOKENS
    return {"max_tokens": most, "temperature": how.temperature, "seed": how.seed}


def _by_label(log_probs: NDArray[np.float64], words: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """(N, W) -> (N, K): probabilities of a label's words added up. NaN rows stay NaN."""
    ends = np.cumsum([len(own) for own in words])[:-1]
    parts = np.split(log_probs, ends, axis=1)
    return np.stack([logsumexp(part, axis=1) for part in parts], axis=1)
