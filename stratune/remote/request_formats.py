"""Kinds of request that make a server choose between words: what is sent, and how its response is read.

Servers differ in what they offer, so the formats are tried in order: exact log-probabilities of whole words,
those of the likeliest next tokens, then answers constrained to the words.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from stratune.printable import shortened
from stratune.remote.request import Body, Endpoint, Form, Request, Requests
from stratune.remote.response import echoed, positions_of, text_of
from stratune.remote.row_fault import Answer
from stratune.remote.rows import ask_rows
from stratune.remote.server import Server
from stratune.remote.walk import MIN_LOG_PROB, Walk, Word, WordScores
from stratune.watch import SILENT, Progress, Scaled

Way = Literal["whole", "logprobs", "constrained", "none"]

WAYS = {
    "whole": "log-probabilities of whole labels",
    "logprobs": "log-probabilities of next tokens",
    "constrained": "answers constrained to the labels: 1 and 0, no probabilities",
    "none": "answers in writing",
}
FORMS = {
    "plain": "text to go on with",
    "continued": "the answer begun for the model",
    "open": "turns that end where the model begins",
}
MOST_WHOLE = 8  # words up to which each is asked about by itself
TOKEN = 3  # characters of a word that a token has at least, on the average
MOST_TOKENS = 16  # written to see whether a token becomes a word
JSON_TOKENS = 64  # braces, key and white space
ROUNDING = 0.25  # between two log-probabilities of one token: a server may compute in few bits
SHOWN = 60  # characters of an answer that is no label


@dataclass(frozen=True)
class Questions:
    """Rows to be asked about, and all that their requests depend on. `room`: tokens for a thought."""

    server: Server
    requests: Requests
    words: Sequence[Word]
    form: Form
    room: int = 0

    @property
    def model(self) -> str:
        return self.server.address.model

    def probe(self, request: Request, body: Body) -> dict[str, Any] | None:
        return self.server.probe(request.endpoint, body)

    def ask(
        self,
        rows: Sequence[int],
        body_of: Callable[[Request, int], Body],
        progress: Progress = SILENT,
    ) -> list[Answer]:
        return ask_rows(self.server, self.requests, rows, body_of, progress)


class RequestFormat(ABC):
    """One kind of request."""

    way: ClassVar[Way]
    sees_mass: ClassVar[bool] = True  # whether it shows how much of the probability the words have together

    @abstractmethod
    def forms(self, request: Request) -> tuple[Form, ...]:
        """In which forms of a request it can be asked, the best first."""

    @abstractmethod
    def bodies(self, request: Request, questions: Questions) -> list[Body]:
        """What is sent first about a row; the first body probes the server."""

    @abstractmethod
    def understood(self, answer: dict[str, Any], request: Request, words: Sequence[Word]) -> bool:
        """Whether the server did what it was asked, and did not just pass over the fields that ask it."""

    def contradicted(self, questions: Questions, request: Request) -> bool:
        """Whether the server, asked in another way, says something else of the same row."""
        return False

    @abstractmethod
    def scores(self, questions: Questions, rows: Sequence[int], progress: Progress) -> list[WordScores]:
        """Of each row. Raises RemoteError."""


@dataclass(frozen=True)
class WholeWord(RequestFormat):
    """The prompt with a word behind it comes back with the log-probability of each of its tokens.

    `/completions` with `echo`, as lm-evaluation-harness asks; of a chat vLLM's `prompt_logprobs`.
    """

    way: ClassVar[Way] = "whole"

    def forms(self, request: Request) -> tuple[Form, ...]:
        return tuple(form for form in request.forms if form != "open")

    def bodies(self, request: Request, questions: Questions) -> list[Body]:
        return [self.body(request, questions, request.gap + word.text) for word in questions.words]

    def understood(self, answer: dict[str, Any], request: Request, words: Sequence[Word]) -> bool:
        return echoed(answer, request.gap + words[0].text) is not None

    def contradicted(self, questions: Questions, request: Request) -> bool:
        """Behind the prompt, its likeliest next token has to be as likely as the list of next tokens says.

        llama-cpp-python gives each token of a prompt the probability that the one behind it has.
        """
        for how in TOPS:
            listed = questions.probe(request, how.bodies(request, questions)[0])
            positions = positions_of(listed) if listed is not None else None
            words = [one for one in positions[0][1] if one[0].strip().isalnum()] if positions else []
            if words:
                token, value = max(words, key=lambda one: one[1])
                answer = questions.probe(request, self.body(request, questions, token))
                spelled = echoed(answer, token) if answer is not None else None
                return spelled is not None and abs(sum(one for _, one in spelled) - value) >= ROUNDING
        return False

    def scores(self, questions: Questions, rows: Sequence[int], progress: Progress) -> list[WordScores]:
        words, count = questions.words, len(questions.words)
        answers = questions.ask(
            [row for row in rows for _ in words],
            lambda request, at: self.body(request, questions, request.gap + words[at % count].text),
            Scaled(progress, len(rows), len(rows) * count),
        )
        values = [
            self._value(answer, questions.requests.rows[rows[at // count]].gap, words[at % count])
            for at, answer in enumerate(answers)
        ]
        return [self._row(values[start : start + count]) for start in range(0, len(values), count)]

    def _value(self, answer: Answer, gap: str, word: Word) -> tuple[float | None, str]:
        """(log-probability of a word, why there is none)."""
        spelled = echoed(answer.response, gap + word.text) if answer.response is not None else None
        if spelled is None:
            return None, answer.why or f"its answer has no log-probability of {word.text!r}"
        return sum(value for _, value in spelled), ""

    def _row(self, values: Sequence[tuple[float | None, str]]) -> WordScores:
        known = [value for value, _ in values if value is not None]
        if len(known) < len(values):
            return WordScores.unanswered(len(values), next(why for value, why in values if value is None))
        log_probs = np.array(known)
        return WordScores(log_probs, mass=float(min(1.0, np.exp(log_probs).sum())))

    def body(self, request: Request, questions: Questions, said: str) -> Body:
        """The prompt with `said` behind it."""
        plain = questions.form == "plain"
        asked = {"echo": True, "logprobs": 1} if plain else {"prompt_logprobs": 0}
        begun = request.body(questions.model, questions.form, said)
        return {**begun, "max_tokens": 1, "temperature": 0, **asked}


@dataclass(frozen=True)
class NextTokens(RequestFormat):
    """The `top` likeliest next tokens are listed with log-probabilities.

    One token is generated, and the server is asked again behind tokens that begin a word. Where it cannot be
    made to go on from there, as many tokens as the words have, so that what it writes shows what becomes of
    the first one.
    """

    way: ClassVar[Way] = "logprobs"
    top: int

    def forms(self, request: Request) -> tuple[Form, ...]:
        return request.forms

    def bodies(self, request: Request, questions: Questions) -> list[Body]:
        return [self._body(request, questions)]

    def understood(self, answer: dict[str, Any], request: Request, words: Sequence[Word]) -> bool:
        return positions_of(answer) is not None

    def scores(self, questions: Questions, rows: Sequence[int], progress: Progress) -> list[WordScores]:
        answers = questions.ask(rows, lambda request, _: self._body(request, questions), progress)
        walks = [Walk(questions.words) for _ in rows]
        why = [self._read(walk, "", answer) for walk, answer in zip(walks, answers, strict=True)]
        while questions.form != "open":
            asked = [(i, said) for i, walk in enumerate(walks) if not why[i] for said in walk.asked_next()]
            if not asked:
                break
            answers = questions.ask(
                [rows[i] for i, _ in asked],
                lambda request, at: self._body(request, questions, asked[at][1]),  # noqa: B023  called at once
            )
            for (i, said), answer in zip(asked, answers, strict=True):
                why[i] = why[i] or self._read(walks[i], said, answer)
        count = len(questions.words)
        return [
            WordScores.unanswered(count, reason) if reason else walk.scores()
            for reason, walk in zip(why, walks, strict=True)
        ]

    def _read(self, walk: Walk, said: str, answer: Answer) -> str:
        """Why the row has no answer; empty where it has one, which the walk then knows."""
        if answer.response is None:
            return answer.why
        positions = positions_of(answer.response)
        if positions is None:
            return "its answer has no log-probabilities"
        if said:
            walk.read(said, positions[0][1] if positions else [])
        else:
            walk.along(positions)
        return ""

    def _body(self, request: Request, questions: Questions, said: str = "") -> Body:
        longest = max(len(word.text) for word in questions.words)
        written = min(1 + longest // TOKEN, MOST_TOKENS) + questions.room
        chat = {"logprobs": True, "top_logprobs": self.top}
        return {
            **request.body(questions.model, questions.form, said),
            "max_tokens": written if questions.form == "open" else 1,
            "temperature": 0,
            **({"logprobs": self.top} if questions.form == "plain" else chat),
        }


TOPS = (NextTokens(20), NextTokens(5))  # some servers list no more than 5


@dataclass(frozen=True)
class Constrained(RequestFormat):
    """The answer is constrained to one of the words: in JSON, or (`as_json` False) as the bare word."""

    way: ClassVar[Way] = "constrained"
    sees_mass: ClassVar[bool] = False
    fields: Body
    as_json: bool

    def forms(self, request: Request) -> tuple[Form, ...]:
        """An answer in JSON begins in no other way."""
        return ("plain",) if request.text else ("open",)

    def bodies(self, request: Request, questions: Questions) -> list[Body]:
        longest = max(len(word.text) for word in questions.words)
        sent = {"max_tokens": JSON_TOKENS + longest + questions.room, "temperature": 0, **self.fields}
        return [{**request.body(questions.model, questions.form), **sent}]

    def understood(self, answer: dict[str, Any], request: Request, words: Sequence[Word]) -> bool:
        return self._word(answer, words) is not None

    def scores(self, questions: Questions, rows: Sequence[int], progress: Progress) -> list[WordScores]:
        answers = questions.ask(rows, lambda request, _: self.bodies(request, questions)[0], progress)
        return [self._scores(answer, questions.words) for answer in answers]

    def _scores(self, answer: Answer, words: Sequence[Word]) -> WordScores:
        if answer.response is None:
            return WordScores.unanswered(len(words), answer.why)
        found = self._word(answer.response, words)
        if found is None:
            said = shortened(text_of(answer.response), SHOWN)
            return WordScores.unanswered(len(words), f"its answer is no label: {said!r}")
        return WordScores(np.where(np.arange(len(words)) == found, 0.0, MIN_LOG_PROB))

    def _word(self, answer: dict[str, Any], words: Sequence[Word]) -> int | None:
        found = _json_answer(text_of(answer)) if self.as_json else text_of(answer).strip()
        texts = [word.text for word in words]
        return texts.index(found) if isinstance(found, str) and found in texts else None


def request_formats(endpoint: Endpoint, words: Sequence[Word]) -> list[RequestFormat]:
    """In the order in which they are tried."""
    texts = [word.text for word in words]
    begins_another = any(one != other and other.startswith(one) for one in texts for other in texts)
    whole = [WholeWord()] if len(words) <= MOST_WHOLE and not begins_another else []
    return [*whole, *TOPS, *_constrained(endpoint, texts)]


def _constrained(endpoint: Endpoint, texts: list[str]) -> list[RequestFormat]:
    """JSON first: an answer in JSON is none that a server gives by chance, passing over the constraint."""
    choice: list[Body] = [
        {"structured_outputs": {"choice": texts}},
        {"guided_choice": texts},
    ]  # vLLM, new and old
    if endpoint == "plain":
        bare: list[Body] = [{"grammar": grammar(texts)}, *choice]
        return [Constrained(fields, as_json=False) for fields in bare]
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": texts}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    named = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    loose = {"type": "json_object", "schema": schema}  # llama-cpp-python's server knows only this
    as_json: list[Body] = [{"response_format": how} for how in (named, loose)]
    return [
        *(Constrained(fields, as_json=True) for fields in as_json),
        *(Constrained(fields, as_json=False) for fields in choice),
    ]


def grammar(texts: Sequence[str]) -> str:
    """llama.cpp's GBNF for one of the texts. White space may come first, as in most tokens of words."""
    words = " | ".join(json.dumps(text, ensure_ascii=False) for text in texts)
    return f"root ::= [ \\n]? ({words})"


def _json_answer(text: str) -> object:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found.get("answer") if isinstance(found, dict) else None
