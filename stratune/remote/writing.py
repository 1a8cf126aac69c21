"""Free generation by a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stratune.remote.request import Body, Form, Request, Requests
from stratune.remote.response import reply_of, text_of
from stratune.remote.row_fault import Answer
from stratune.remote.rows import CHUNK, ask_rows
from stratune.remote.server import Server
from stratune.watch import SILENT, Progress


@dataclass(frozen=True)
class Wanted:
    """Options of generation. `room`: tokens for a thought, beside `max_tokens` of the answer."""

    max_tokens: int
    temperature: float
    seed: int
    room: int = 0

    def body(self, request: Request, model: str) -> Body:
        options = {"temperature": self.temperature, "seed": self.seed}
        form: Form = "plain" if request.text else "open"
        return {**request.body(model, form), "max_tokens": self.max_tokens + self.room, **options}


@dataclass(frozen=True)
class Texts:
    """N answers, unchanged but for a thought before them; `why` there is none (""). `room`: see Wanted."""

    texts: list[str]
    why: list[str]
    room: int


def generate(server: Server, requests: Requests, wanted: Wanted, *, progress: Progress = SILENT) -> Texts:
    """Raises RemoteError. A model that thinks gets room for it, once the shortest row has shown that."""
    model = server.address.model
    if requests.rows and not wanted.room:
        first = min(range(len(requests.rows)), key=lambda row: requests.rows[row].characters)
        (answer,) = ask_rows(server, requests, [first], lambda request, _: wanted.body(request, model))
        if answer.response is not None and reply_of(answer.response).thinking:
            wanted = replace(wanted, room=server.retry_policy.thought)
    texts: list[str] = []
    why: list[str] = []
    for start in range(0, len(requests.rows), CHUNK):
        rows = range(start, min(start + CHUNK, len(requests.rows)))
        for answer in ask_rows(
            server, requests, rows, lambda request, _: wanted.body(request, model), progress
        ):
            text, reason = _text(answer)
            texts.append(text)
            why.append(reason)
    return Texts(texts, why, wanted.room)


def _text(answer: Answer) -> tuple[str, str]:
    """(the answer, why there is none)."""
    if answer.response is None:
        return "", answer.why
    if reply_of(answer.response).thinking:
        return "", "its tokens ended within the thought"
    return text_of(answer.response), ""


def writing_bodies(server: Server, requests: Sequence[Request], wanted: Wanted) -> list[Body]:
    return [wanted.body(request, server.address.model) for request in requests]
