"""Requests to one server: in parallel, rate-limited, retried, and none sent whose answer is stored."""

from __future__ import annotations

import difflib
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from stratune.errors import ConfigError, RemoteError, choices
from stratune.remote.address import Address
from stratune.remote.answers import Answers, answer_key
from stratune.remote.client import Client, Fault
from stratune.remote.named import KEYS
from stratune.remote.pool import as_completed
from stratune.remote.rate_limit import RateLimit, Stopped, back_off
from stratune.remote.request import Body, Endpoint
from stratune.watch import SILENT, Progress

Task = tuple[str, Body]  # the answer's key, and the request's body

REFUSED = (400, 415, 422, 500, 501)  # HTTP statuses of servers that do not know a field
LARGEST = {"workers": 256, "per_minute": 1_000_000, "timeout": 86_400, "attempts": 1000}
LISTED = 12  # model names that an error message shows


@dataclass(frozen=True)
class RetryPolicy:
    """Parallel requests, rate limit, timeout and retries."""

    workers: int = 8  # requests under way at once
    per_minute: int | None = None  # requests started; None: no limit
    timeout: float = 60.0  # seconds without a byte from the server
    attempts: int = 6  # for each request
    pause: float = 1.0  # seconds before the second attempt; twice as long before each further one
    patience: float = 300.0  # seconds that a server may ask to wait (Retry-After)

    def __post_init__(self) -> None:
        for name in ("workers", "per_minute", "timeout", "attempts"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= LARGEST[name]:
                least = "above 0" if value <= 0 else f"a number up to {LARGEST[name]:,}"
                raise ConfigError(f"{value} is not {least}", key=name)


class Server:
    """A server and the stored answers it gave before.

    `openai` is imported, and a connection opened, at the first request whose answer is not stored. `variable`
    holds the server's key (remote/named.py).
    """

    def __init__(
        self, address: Address, retry_policy: RetryPolicy, answers: Answers, *, variable: str
    ) -> None:
        self.address, self.retry_policy, self.answers = address, retry_policy, answers
        self._variable = variable
        self._rate_limit = RateLimit(retry_policy.per_minute)
        self._client: Client | None = None

    def ask(
        self, endpoint: Endpoint, bodies: Sequence[Body], progress: Progress = SILENT
    ) -> list[dict[str, Any]]:
        """The answers, in order. Stored answers and duplicates are not requested.

        Each answer is stored the moment it arrives, so an error or an interruption loses none. Raises
        RemoteError at the first request that fails for good; the others get `pool.GRACE` seconds to arrive.
        """
        keys = [self.key(endpoint, body) for body in bodies]
        found, missing = self._known(keys, bodies)
        rows = Counter(keys)
        progress.rows(sum(rows[key] for key in found))
        if missing:
            self._connect()
        with closing(
            as_completed(lambda task, stop: self._answer(endpoint, task, stop), missing, self._workers)
        ) as arriving:
            for (key, _), answer in arriving:
                found[key] = answer
                progress.rows(rows[key])
        return [found[key] for key in keys]

    def probe(self, endpoint: Endpoint, body: Body) -> dict[str, Any] | None:
        """The answer, or None when the server rejects such a request (REFUSED; a 500 is retried once).

        A rejection is not stored: the server may be restarted with other options.
        """
        key = self.key(endpoint, body)
        kept = self.answers.get(key)
        if kept is not None:
            return kept
        self._connect()
        try:
            return self._tried(endpoint, (key, body), threading.Event(), probing=True)
        except Fault as fault:
            if fault.status in REFUSED:
                return None
            raise self._explained(fault) from None

    def models(self) -> list[str]:
        return self._connect().models()

    def key(self, endpoint: Endpoint, body: Body) -> str:
        return answer_key(self.address.url, endpoint, body)

    def close(self) -> None:
        """Close the connections. The store of answers stays open: others may share it."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- helpers

    @property
    def _workers(self) -> int:
        return self.retry_policy.workers

    def _connect(self) -> Client:
        if self._client is None:
            self._client = Client(self.address, self.retry_policy.timeout, self._variable)
        return self._client

    def _known(
        self, keys: Sequence[str], bodies: Sequence[Body]
    ) -> tuple[dict[str, dict[str, Any]], list[Task]]:
        found: dict[str, dict[str, Any]] = {}
        missing: dict[str, Body] = {}
        for key, body in zip(keys, bodies, strict=True):
            if key in found or key in missing:
                continue
            kept = self.answers.get(key)
            if kept is None:
                missing[key] = body
            else:
                found[key] = kept
        return found, list(missing.items())

    def _answer(self, endpoint: Endpoint, task: Task, stop: threading.Event) -> dict[str, Any]:
        try:
            return self._tried(endpoint, task, stop)
        except Fault as fault:
            raise self._explained(fault) from None

    def _tried(
        self, endpoint: Endpoint, task: Task, stop: threading.Event, *, probing: bool = False
    ) -> dict[str, Any]:
        """Send one request, with all its retries. Raises Fault."""
        key, body = task
        client = self._connect()
        attempt = 1
        while True:
            self._rate_limit.acquire(stop)
            try:
                return self.answers.keep(key, client.post(endpoint, body))
            except Fault as fault:
                wait = self._wait(
                    fault, attempt, 2 if probing and fault.status == 500 else self.retry_policy.attempts
                )
            if stop.wait(wait):
                raise Stopped
            attempt += 1

    def _wait(self, fault: Fault, attempt: int, attempts: int) -> float:
        """Seconds until the next attempt. Raises the fault when there is no next one."""
        if not fault.retry:
            raise fault
        if fault.after > self.retry_policy.patience:
            why = f"{fault.why}; it asks to wait {fault.after:.0f} seconds; run this again then"
            raise Fault(why, fault.status, retry=False) from None
        if attempt >= attempts:
            why = f"{fault.why}; gave up after {attempt} attempts"
            raise Fault(why, fault.status, retry=False) from None
        if fault.after:
            self._rate_limit.hold(fault.after)  # the limit was hit by all threads together
        return fault.after + back_off(self.retry_policy.pause, attempt)

    def _explained(self, fault: Fault) -> RemoteError:
        hint = self._hint(fault)
        return RemoteError(f"{self.address.url}: {fault.why}" + (f"; {hint}" if hint else ""))

    def _hint(self, fault: Fault) -> str:
        client = self._connect()
        if fault.status in (401, 403):
            if client.has_key:
                return f"it does not take the key in {self._variable}"
            own = f"say which variable holds its key: {KEYS}={self.address.url}=NAME"
            return f"set {self._variable}" if self._variable else own
        if fault.status != 404:
            return ""
        names, model = client.models(), self.address.model
        if names and model not in names:
            shown = (
                names if len(names) <= LISTED else difflib.get_close_matches(model, names, LISTED, cutoff=0.0)
            )
            return f"model {choices(model, shown)}"
        return "" if names else "an address usually ends in /v1"
