"""Rows asked one by one: an answer each, or why there is none. A prompt that is too long is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stratune.remote.request import Body, Request, Requests
from stratune.remote.response import reply_of
from stratune.remote.row_fault import Answer
from stratune.remote.server import Server
from stratune.watch import SILENT, Progress

CHUNK = 1024  # answers held in memory at once
CUTS = 8  # times that one prompt is made shorter


def ask_rows(
    server: Server,
    requests: Requests,
    rows: Sequence[int],
    body_of: Callable[[Request, int], Body],
    progress: Progress = SILENT,
) -> list[Answer]:
    """The answers about these rows (a row may be named several times), in their order. Raises RemoteError.

    `body_of`: a row's request and its position in `rows` -> what is sent, to one endpoint. `requests` keeps
    the shorter prompts and what was cut, so that no other request of a row is too long.
    """
    if not rows:
        return []
    endpoint = requests.rows[rows[0]].endpoint
    answers = server.ask(endpoint, [body_of(requests.rows[row], i) for i, row in enumerate(rows)], progress)
    for _ in range(CUTS):
        long = [i for i, answer in enumerate(answers) if _cut(requests, rows[i], answer)]
        if not long:
            break
        again = server.ask(endpoint, [body_of(requests.rows[rows[i]], i) for i in long])
        for i, answer in zip(long, again, strict=True):
            answers[i] = answer
    return [_read(answer) for answer in answers]


def _cut(requests: Requests, row: int, answer: Answer) -> bool:
    """Whether the row's prompt was too long and is shorter now."""
    if answer.share is None:
        return False
    found = requests.shorter(row, answer.share)
    if found is None:
        return False
    requests.rows[row], words = found
    requests.cut[row] = requests.cut.get(row, 0) + words
    return True


def _read(answer: Answer) -> Answer:
    """An answer that a content filter ended, or that refuses, is none."""
    refused = reply_of(answer.response).refused if answer.response is not None else ""
    return Answer(None, refused) if refused else answer
