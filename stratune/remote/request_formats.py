"""The ways to have a server choose between words, each as what is sent and how the answer is read."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from stratune.remote.request import Body, Endpoint, Question
from stratune.remote.response import first_tokens, text_of

Way = Literal["logprobs", "constrained", "none"]

NEVER = math.log(1e-12)  # log-probability of what was not said
REAL = 0.01  # a token less likely than this leaves a doubt that no one needs to settle


@dataclass(frozen=True)
class Word:
    text: str
    owner: int  # the number of its label


@dataclass(frozen=True)
class Reading:
    """`log_probs` (W,), NaN where nothing can be read from the answer."""

    log_probs: NDArray[np.float64]
    clear: bool = True  # False: the first tokens do not tell the labels apart


class Form(ABC):
    """One kind of request."""

    way: ClassVar[Way]

    @abstractmethod
    def body(self, question: Question, model: str) -> Body: ...

    @abstractmethod
    def read(self, answer: dict[str, Any], words: Sequence[Word]) -> Reading | None:
        """None where the server has passed over what was asked of it."""


@dataclass(frozen=True)
class FirstToken(Form):
    """The `top` likeliest first tokens, one of which is written."""

    way: ClassVar[Way] = "logprobs"
    top: int

    def body(self, question: Question, model: str) -> Body:
        asked = {"logprobs": True, "top_logprobs": self.top} if question.messages else {"logprobs": self.top}
        return {**question.body(model), "max_tokens": 1, "temperature": 0, **asked}

    def read(self, answer: dict[str, Any], words: Sequence[Word]) -> Reading | None:
        tokens = first_tokens(answer)
        return None if tokens is None else read_tokens(tokens, words)


@dataclass(frozen=True)
class Constrained(Form):
    """An answer that can be nothing but one of the words: as JSON, or (`as_json` False) the bare word."""

    way: ClassVar[Way] = "constrained"
    fields: Body
    as_json: bool

    def body(self, question: Question, model: str) -> Body:
        return {**question.body(model), "temperature": 0, **self.fields}

    def read(self, answer: dict[str, Any], words: Sequence[Word]) -> Reading | None:
        said = _answered(text_of(answer)) if self.as_json else text_of(answer).strip()
        if said not in [word.text for word in words]:
            return None
        return Reading(np.array([0.0 if word.text == said else NEVER for word in words]))


def forms(endpoint: Endpoint, words: Sequence[Word]) -> list[Form]:
    """In the order in which a server is asked for them."""
    tops = [FirstToken(top) for top in (20, 5)]  # some servers list no more than 5
    texts = [word.text for word in words]
    length = {"max_tokens": 64 + max(len(text) for text in texts)}  # JSON may have white space
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
    """One of the texts, in llama.cpp's GBNF; white space may come first, as most models' tokens have it."""
    said = " | ".join(json.dumps(text, ensure_ascii=False) for text in texts)
    return f"root ::= [ \\n]? ({said})"


def read_tokens(tokens: Sequence[tuple[str, float]], words: Sequence[Word]) -> Reading:
    """Log-probabilities (W,) of words by the tokens that begin them.

    A token counts for the one label whose words it begins, and there for the first such word; what begins
    words of two labels counts for none. Upper and lower case count where they tell words apart. A label of
    which no word is listed gets the lowest listed log-probability, shared by its words: an upper bound, as
    all that is not listed is less likely than that. NaN where no label's word is listed.
    """
    said = np.zeros(len(words))  # probabilities
    unclear = 0.0
    plain = _folding([word.text for word in words])
    for token, log_prob in tokens:
        begun = [i for i, word in enumerate(words) if token and plain(word.text).startswith(plain(token))]
        if len({words[i].owner for i in begun}) == 1:
            said[begun[0]] += math.exp(log_prob)
        elif begun:
            unclear += math.exp(log_prob)
    clear = unclear < REAL
    if not said.any():
        return Reading(np.full(len(words), np.nan), clear)
    with np.errstate(divide="ignore"):  # log 0 is what the floor is for
        rows = np.maximum(np.log(said), NEVER)
    lowest = max(NEVER, min(log_prob for _, log_prob in tokens))
    owners = np.array([word.owner for word in words])
    for owner in set(owners.tolist()):
        own = owners == owner
        if not said[own].any():
            rows[own] = lowest - math.log(own.sum())
    return Reading(rows, clear)


def _folding(texts: Sequence[str]) -> Callable[[str], str]:
    """`Yes` is `yes`, unless two words differ in nothing else."""
    return str.casefold if len({text.casefold() for text in texts}) == len(texts) else str


def _answered(text: str) -> object:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found.get("answer") if isinstance(found, dict) else None
