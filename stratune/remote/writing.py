"""Free generation by a server."""

from __future__ import annotations

from collections.abc import Sequence

from stratune.remote.request import Body, Request, endpoint_of
from stratune.remote.response import text_of
from stratune.remote.server import Server
from stratune.watch import SILENT, Progress

CHUNK = 1024  # answers held in memory at once


def generate(
    server: Server,
    requests: Sequence[Request],
    *,
    max_tokens: int,
    temperature: float,
    seed: int,
    progress: Progress = SILENT,
) -> list[str]:
    """The text generated for each request, unchanged. Raises RemoteError."""
    bodies = writing_bodies(server, requests, max_tokens=max_tokens, temperature=temperature, seed=seed)
    texts: list[str] = []
    for start in range(0, len(bodies), CHUNK):
        answers = server.ask(endpoint_of(requests), bodies[start : start + CHUNK], progress)
        texts += [text_of(answer) for answer in answers]
    return texts


def writing_bodies(
    server: Server, requests: Sequence[Request], *, max_tokens: int, temperature: float, seed: int
) -> list[Body]:
    options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
    return [{**request.body(server.address.model), **options} for request in requests]
