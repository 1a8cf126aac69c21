"""Kinds of request that make a server choose between words: what is sent, and how its response is read.

Servers differ in what they offer, so the formats are tried in order: log-probabilities of the first token
(cheapest, and they give probabilities), then answers constrained to the words.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from stratune.remote.request import Body, Endpoint, Request
from stratune.remote.response import first_tokens, text_of

Way = Literal["logprobs", "constrained", "none"]

MIN_LOG_PROB = math.log(1e-12)  # stands for the log of zero
NEGLIGIBLE = 0.01  # ambiguous first tokens may have this much probability together


@dataclass(frozen=True)
class Word:
    text: str
    owner: int  # the number of its label


@dataclass(frozen=True)
class WordScores:
    """`log_probs` (W,) of the words; NaN when the answer names none of them."""

    log_probs: NDArray[np.float64]
    distinct: bool = True  # False: the first tokens do not distinguish the labels


class RequestFormat(ABC):
    """One kind of request."""

    way: ClassVar[Way]

    @abstractmethod
    def body(self, request: Request, model: str) -> Body: ...

    @abstractmethod
    def read(self, answer: dict[str, Any], words: Sequence[Word]) -> WordScores | None:
        """None when the server ignored the fields that this format needs."""


@dataclass(frozen=True)
class FirstToken(RequestFormat):
    """One token is generated, and the `top` likeliest first tokens are listed with log-probabilities."""

    way: ClassVar[Way] = "logprobs"
    top: int

    def body(self, request: Request, model: str) -> Body:
        asked = {"logprobs": True, "top_logprobs": self.top} if request.messages else {"logprobs": self.top}
        return {**request.body(model), "max_tokens": 1, "temperature": 0, **asked}

    def read(self, answer: dict[str, Any], words: Sequence[Word]) -> WordScores | None:
        tokens = first_tokens(answer)
        return None if tokens is None else read_tokens(tokens, words)


@dataclass(frozen=True)
class Constrained(RequestFormat):
    """The answer is constrained to one of the words: in JSON, or (`as_json` False) as the bare word."""

    way: ClassVar[Way] = "constrained"
    fields: Body
    as_json: bool

    def body(self, request: Request, model: str) -> Body:
        return {**request.body(model), "temperature": 0, **self.fields}

    def read(self, answer: dict[str, Any], words: Sequence[Word]) -> WordScores | None:
        found = _json_answer(text_of(answer)) if self.as_json else text_of(answer).strip()
        if found not in [word.text for word in words]:
            return None
        return WordScores(np.array([0.0 if word.text == found else MIN_LOG_PROB for word in words]))


def request_formats(endpoint: Endpoint, words: Sequence[Word]) -> list[RequestFormat]:
    """In the order in which they are tried."""
    tops = [FirstToken(top) for top in (20, 5)]  # some servers list no more than 5
    texts = [word.text for word in words]
    length = {"max_tokens": 64 + max(len(text) for text in texts)}  # 64: braces, key and white space of JSON
    if endpoint == "plain":
        return [*tops, Constrained({**length, "grammar": grammar(texts)}, as_json=False)]
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": texts}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    named = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    bare = {"type": "json_object", "schema": schema}  # llama-cpp-python's server knows only this
    return [*tops, *(Constrained({**length, "response_format": how}, as_json=True) for how in (named, bare))]


def grammar(texts: Sequence[str]) -> str:
    """llama.cpp's GBNF for one of the texts. White space may come first, as in most tokens of words."""
    words = " | ".join(json.dumps(text, ensure_ascii=False) for text in texts)
    return f"root ::= [ \\n]? ({words})"


def read_tokens(tokens: Sequence[tuple[str, float]], words: Sequence[Word]) -> WordScores:
    """Log-probabilities (W,) of words, from the likeliest first tokens.

    A token counts for the label whose words begin with it, and there for the first such word. A token that
    begins words of two labels counts for none. Case counts only where it distinguishes two words. A label
    none of whose words is listed gets the lowest listed log-probability, shared by its words: an upper bound,
    because every token that is not listed is less likely. All NaN when no label's word is listed.
    """
    probabilities = np.zeros(len(words))  # (W,)
    ambiguous = 0.0
    plain = _folding([word.text for word in words])
    for token, log_prob in tokens:
        begins = [i for i, word in enumerate(words) if token and plain(word.text).startswith(plain(token))]
        if len({words[i].owner for i in begins}) == 1:
            probabilities[begins[0]] += math.exp(log_prob)
        elif begins:
            ambiguous += math.exp(log_prob)
    distinct = ambiguous < NEGLIGIBLE
    if not probabilities.any():
        return WordScores(np.full(len(words), np.nan), distinct)
    with np.errstate(divide="ignore"):  # log 0 becomes MIN_LOG_PROB
        rows = np.maximum(np.log(probabilities), MIN_LOG_PROB)
    lowest = max(MIN_LOG_PROB, min(log_prob for _, log_prob in tokens))
    owners = np.array([word.owner for word in words])
    for owner in set(owners.tolist()):
        own = owners == owner
        if not probabilities[own].any():
            rows[own] = lowest - math.log(own.sum())
    return WordScores(rows, distinct)


def _folding(texts: Sequence[str]) -> Callable[[str], str]:
    """Ignore case, unless two words differ in case alone."""
    return str.casefold if len({text.casefold() for text in texts}) == len(texts) else str


def _json_answer(text: str) -> object:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found.get("answer") if isinstance(found, dict) else None
