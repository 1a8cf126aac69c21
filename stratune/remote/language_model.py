"""A language model on a server: log-probabilities where the server gives them, else generated answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from stratune.model.language import LabelScores, LanguageModel, Writing, Written
from stratune.remote.estimate import tokens_cost, tokens_of
from stratune.remote.named import Servers
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import Server
from stratune.remote.verbalizer import RemoteVerbalizer
from stratune.remote.writing import Wanted, generate, writing_bodies
from stratune.watch import Progress

if TYPE_CHECKING:
    from stratune.remote.request import Body, Form, Requests
    from stratune.remote.request_formats import Way

ANSWER_TOKENS = 16  # most tokens of a generated answer, unless `max_new_tokens` is set


@dataclass(frozen=True)
class Asked:
    """How a saved model was asked; it is then asked in no other way. None: to be found out."""

    way: Way | None = None
    form: Form | None = None
    room: int = 0  # tokens for a thought


@dataclass
class ServerLanguageModel(LanguageModel):
    server: Server
    asked: Asked = Asked()
    price: tuple[float, float] | None = None
    tokenizer: str | None = None  # the backbone whose tokenizer its prompts are made with
    only: Way | None = None  # the user asks for this way
    _verbalizers: dict[Any, RemoteVerbalizer] = field(default_factory=dict, repr=False)  # by words
    _room: int = field(default=0, repr=False)  # found out by writing

    paid = True

    def log_probs(self, prompts: Requests, progress: Progress) -> LabelScores | None:
        scores = self._words(prompts.words).log_probs(prompts, progress)
        if scores is None:
            return None
        by_label = _by_label(scores.log_probs, list(prompts.words.values()))
        known = not np.isnan(scores.mass).all() if len(scores.mass) else False
        return LabelScores(
            by_label,
            scores.invalid,
            mass=scores.mass if known else None,
            why=scores.why,
            cut=_cut(prompts),
            certain=self._words(prompts.words).way == "constrained",
        )

    def generate(self, prompts: Requests, how: Writing, progress: Progress) -> Written:
        found = generate(self.server, prompts, self._wanted(how), progress=progress)
        self._room = found.room
        return Written(found.texts, found.why, _cut(prompts))

    def bodies(self, prompts: Requests, writing: Writing | None, otherwise: Writing) -> list[Body]:
        """The bodies of the requests for these rows, in the way that the server offers."""
        bodies = [] if writing else self._words(prompts.words).bodies(prompts)
        return bodies or writing_bodies(self.server, prompts.rows, self._wanted(writing or otherwise))

    def expected_cost(
        self, prompts: Requests, writing: Writing | None, otherwise: Writing, price: tuple[float, float]
    ) -> float:
        """As if no answer were stored yet."""
        bodies = self.bodies(prompts, writing, otherwise)
        return tokens_cost(*tokens_of(bodies, self.server.used.characters_a_token()), price)

    def write(self, folder: Path, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        found = self._words(words)
        room = max(found.room, self._room)
        policy: dict[str, Any] = {
            "retry_policy": asdict(self.server.retry_policy),
            "extra": self.server.extra,
        }
        if self.tokenizer is not None:
            policy["tokenizer"] = self.tokenizer
        return {"server": {"way": found.way, "form": found.form, "room": room, **policy}}

    def count_with(self, other: ServerLanguageModel) -> None:
        self.server.used.add(other.server.used)

    def remarks(self) -> list[str]:
        ways = dict.fromkeys(one.in_words() for one in self._verbalizers.values())
        remarks = [f"asked by {way}" for way in ways if way]
        used, cut = self.server.used.in_words(self.price), self.server.used.cut_at()
        if used:
            remarks.append(f"the server counted {used}")
        if cut is not None:
            remarks.append(f"the server reads only {cut:,} tokens of a prompt, and does not say so")
        dropped = [name for name, other in self.server.parameters.changed.items() if other is None]
        if dropped:
            remarks.append(f"the server does not take {', '.join(sorted(dropped))}: its answers may vary")
        return remarks

    def _wanted(self, how: Writing) -> Wanted:
        room = max(self._room, self.asked.room)
        return Wanted(how.max_new_tokens or ANSWER_TOKENS, how.temperature, how.seed, room)

    def _words(self, words: Mapping[str, Sequence[str]]) -> RemoteVerbalizer:
        key, asked = tuple(words.items()), self.asked
        if key not in self._verbalizers:
            self._verbalizers[key] = RemoteVerbalizer(
                self.server, words, asked.way, asked.form, asked.room, self.only
            )
        return self._verbalizers[key]


def open_server(
    address: str,
    servers: Servers,
    policy: RetryPolicy | None = None,
    asked: Asked = Asked(),  # noqa: B008  frozen
    *,
    extra: Mapping[str, Any] | None = None,
    price: tuple[float, float] | None = None,
    tokenizer: str | None = None,
    only: Way | None = None,
    where: str = "backbone",
) -> ServerLanguageModel:
    """Sends nothing yet. Raises ConfigError as `Server.at`."""
    server = Server.at(address, servers, policy, extra, where)
    return ServerLanguageModel(server, asked, price, tokenizer, only)


def _cut(prompts: Requests) -> NDArray[np.int32] | None:
    """(N,) words that the server had no room for."""
    if not prompts.cut:
        return None
    return np.array([prompts.cut.get(row, 0) for row in range(len(prompts.rows))], dtype=np.int32)


def _by_label(log_probs: NDArray[np.float64], words: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """(N, W) -> (N, K): probabilities of a label's words added up. NaN rows stay NaN."""
    ends = np.cumsum([len(own) for own in words])[:-1]
    parts = np.split(log_probs, ends, axis=1)
    return np.stack([logsumexp(part, axis=1) for part in parts], axis=1)
