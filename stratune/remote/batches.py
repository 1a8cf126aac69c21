"""OpenAI's batch endpoint: a file of requests, answered within a day, at half the price.

The requests that no answer is stored of go there together. A batch is known by the keys of its requests, and
its id is stored the moment it has one: the same command, started again, waits for the batch that a killed one
left. What a batch leaves open (refused, expired, failed) is asked directly by server.py, as if there had been
none, and so is what is too little for a file.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stratune.files import sha256
from stratune.remote.answers import Answers
from stratune.remote.client import HOLDS, Client, Fault
from stratune.remote.request import Body, Endpoint
from stratune.remote.used import MARK
from stratune.watch import SILENT, Progress

LEAST = 50  # requests: fewer are answered sooner directly
MOST, MOST_BYTES = 50_000, 100_000_000  # of a file, as OpenAI allows; of its bytes, half of what it allows
POLL_SECONDS = 30.0
PATHS = {"chat": "/v1/chat/completions", "plain": "/v1/completions"}
ENDED = ("completed", "failed", "expired", "cancelled")
Task = tuple[str, Body]  # the answer's key, and what is sent


def batched(endpoint: Endpoint, count: int, *, allowed: bool) -> bool:
    """Whether so many requests go into a batch."""
    return allowed and endpoint in PATHS and count >= LEAST


@dataclass(frozen=True)
class Batches:
    """Batches of one server. `tried` calls, and again where what goes wrong may pass. Methods raise Fault."""

    client: Client
    answers: Answers
    url: str
    tried: Callable[[Callable[[], str]], str]

    def answered(
        self, endpoint: Endpoint, tasks: Sequence[Task], progress: Progress = SILENT
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """(key, answer) of the tasks that are answered, once a batch has ended; all batches run at once."""
        begun = [self._begun(endpoint, part) for part in _files(endpoint, tasks)]
        asked = {key for key, _ in tasks}
        for number in begun:
            progress.note(f"batch {number}: waiting, for a day at most; the same command goes on with it")
        for number in begun:
            for key, answer in self._results(endpoint, self._ended(number)):
                if key in asked:
                    yield key, self.answers.keep(key, answer | {MARK: number})

    # -- helpers

    def _begun(self, endpoint: Endpoint, part: _File) -> str:
        """The id of a batch; of the one that was begun before, where there is one."""
        known = sha256(self.url, MARK, *sorted(part.keys))
        kept = self.answers.get(known)
        if kept is None:
            file = self.tried(lambda: self.client.upload("requests.jsonl", part.content))
            number = self.tried(lambda: self.client.begin_batch(file, PATHS[endpoint]))
            kept = self.answers.keep(known, {"id": number})
        return str(kept["id"])

    def _ended(self, number: str) -> dict[str, Any]:
        """A batch that ended, however it did."""
        waiting = threading.Event()
        while True:
            try:
                found = self.client.batch(number)
            except Fault as fault:
                if not fault.retry:
                    raise
            else:
                if found.get("status") in ENDED:
                    return found
            waiting.wait(POLL_SECONDS)

    def _results(self, endpoint: Endpoint, ended: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Lines that hold no answer are passed over: server.py asks them again, and says why not."""
        if not ended.get("output_file_id"):
            return
        file = str(ended["output_file_id"])
        for line in self.tried(lambda: self.client.content(file)).splitlines():
            try:
                found = json.loads(line)
                answer = found["response"]["body"]
                good = found["response"]["status_code"] == 200 and answer[HOLDS[endpoint]]
            except (ValueError, LookupError, TypeError):
                continue
            if good:
                yield str(found["custom_id"]), dict(answer)


@dataclass(frozen=True)
class _File:
    keys: tuple[str, ...]
    content: bytes


def _files(endpoint: Endpoint, tasks: Sequence[Task]) -> list[_File]:
    """As many requests in each as it may have."""
    files: list[_File] = []
    keys: list[str] = []
    lines: list[bytes] = []
    size = 0
    for key, body in tasks:
        request = {"custom_id": key, "method": "POST", "url": PATHS[endpoint], "body": body}
        line = json.dumps(request).encode() + b"\n"
        if keys and (len(keys) == MOST or size + len(line) > MOST_BYTES):
            files.append(_File(tuple(keys), b"".join(lines)))
            keys, lines, size = [], [], 0
        keys.append(key)
        lines.append(line)
        size += len(line)
    return [*files, _File(tuple(keys), b"".join(lines))] if keys else files
