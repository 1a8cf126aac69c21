"""Requests to one server: in parallel, rate-limited, retried, and none sent whose answer is stored."""

from __future__ import annotations

import difflib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from stratune.errors import RemoteError, choices
from stratune.remote.address import Address, parse_address
from stratune.remote.answers import Answers, answer_key
from stratune.remote.batches import Batches, batched
from stratune.remote.client import Client, Fault
from stratune.remote.exchanges import Exchanges
from stratune.remote.named import KEYS, Servers
from stratune.remote.parameters import Parameters
from stratune.remote.pool import as_completed
from stratune.remote.rate_limit import RateLimit, Stopped, back_off
from stratune.remote.request import Body, Endpoint
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.row_fault import Answer, is_too_long, no_answer
from stratune.remote.used import Used
from stratune.watch import SILENT, Progress

Task = tuple[str, Body]  # the answer's key, and the request's body

REFUSED = (400, 403, 415, 422, 501)  # HTTP statuses of servers that do not know a field
NO_BATCHES = (404, 405, 501)
ALL_REFUSED = 8  # so many requests refused, and none answered: it is not the rows' fault
ASKED = ("model", "messages", "prompt")  # fields of a request that say what is asked
LISTED = 12  # model names that an error message shows


class Server:
    """A server and the stored answers it gave before.

    `openai` is imported, and a connection opened, at the first request whose answer is not stored. `variable`
    holds the server's key (remote/named.py). `extra`: fields that go into every request, as the user's switch
    for thoughts.
    """

    def __init__(
        self,
        address: Address,
        retry_policy: RetryPolicy,
        answers: Answers,
        *,
        variable: str,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.address, self.retry_policy, self.answers = address, retry_policy, answers
        self.extra = dict(extra or {})
        self.parameters, self.used = Parameters(), Used()
        self.exchanges: Exchanges | None = None  # where what is asked and answered is kept
        self._variable = variable
        self._rate_limit = RateLimit(retry_policy.per_minute)
        self._client: Client | None = None
        self._has_answered = False

    @classmethod
    def at(
        cls,
        address: str,
        servers: Servers,
        policy: RetryPolicy | None,
        extra: Mapping[str, Any] | None,
        where: str,
    ) -> Server:
        """Sends nothing yet. Raises ConfigError for a string that is not an address, or one that is not among
        `servers`, which the user named; `where` is what named it.
        """
        parsed = parse_address(address)
        variable = servers.variable(parsed.url, where)
        return cls(parsed, policy or RetryPolicy(), Answers(), variable=variable, extra=extra)

    def ask(self, endpoint: Endpoint, bodies: Sequence[Body], progress: Progress = SILENT) -> list[Answer]:
        """The answers, in order. Stored answers and duplicates are not requested.

        Each response is stored the moment it arrives, so an error or an interruption loses none. A request
        that is refused for what its row holds has none. Raises RemoteError at the first one that fails for
        good for another reason, and where all are refused; the others get `pool.GRACE` seconds to arrive.
        """
        keys = [self.key(endpoint, body) for body in bodies]
        kept, missing = self._known(keys, bodies)
        found = {key: Answer(response) for key, response in kept.items()}
        self._has_answered |= bool(found)
        rows = Counter(keys)
        progress.rows(sum(rows[key] for key in found))
        if missing:
            self._connect()
        for key, response in self._by_batches(endpoint, missing, progress):
            found[key] = Answer(response)
            progress.rows(rows[key])
            self._has_answered = True
        missing = [task for task in missing if task[0] not in found]
        refused: list[Answer] = []
        workers = self.retry_policy.workers
        with closing(
            as_completed(lambda task, stop: self._answer(endpoint, task, stop), missing, workers)
        ) as arriving:
            for (key, _), answer in arriving:
                found[key] = answer
                progress.rows(rows[key])
                self._has_answered |= answer.response is not None
                refused += [] if answer.sure else [answer]
                if len(refused) >= ALL_REFUSED:
                    self._blame(refused)
        self._blame(refused)
        self._count([(key, body, found[key]) for key, body in zip(keys, bodies, strict=True)])
        return [found[key] for key in keys]

    def probe(self, endpoint: Endpoint, body: Body) -> dict[str, Any] | None:
        """The answer, or None when the server rejects such a request.

        A rejection is not stored: the server may be restarted with other options. 500 is one only where the
        same request without the fields in question is answered.
        """
        key = self.key(endpoint, body)
        kept = self.answers.get(key)
        if kept is not None:
            self._count([(key, body, Answer(kept))])
            return kept
        self._connect()
        try:
            answer = self._tried(endpoint, (key, body), threading.Event(), doubted=True)
            self._count([(key, body, Answer(answer))])
            return answer
        except Fault as fault:
            if fault.status in REFUSED and not is_too_long(fault):
                return None
            if fault.status == 500 and self._answers_bare(endpoint, body):
                return None
            raise self.explained(fault) from None

    def models(self) -> list[str]:
        return self._connect().models()

    def key(self, endpoint: Endpoint, body: Body) -> str:
        return answer_key(self.address.url, endpoint, {**self.extra, **body})

    def close(self) -> None:
        """Close the connections. The store of answers stays open: others may share it."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- helpers

    def _connect(self) -> Client:
        if self._client is None:
            policy = self.retry_policy
            self._client = Client(self.address, policy.timeout, policy.longest, self._variable)
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

    def _by_batches(
        self, endpoint: Endpoint, tasks: Sequence[Task], progress: Progress
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """(key, answer) of those that a batch answers. Raises RemoteError where the server takes none."""
        if not batched(endpoint, len(tasks), allowed=self.retry_policy.batches):
            return
        sent = [(key, self.parameters.fitted({**self.extra, **body})) for key, body in tasks]
        try:
            batches = Batches(self._connect(), self.answers, self.address.url, self._patiently)
            yield from batches.answered(endpoint, sent, progress)
        except Fault as fault:
            if fault.status in NO_BATCHES:
                why = f"{fault.why}; it has no batch endpoint: leave out remote.batches"
                raise RemoteError(f"{self.address.url}: {why}") from None
            raise self.explained(fault) from None

    def _count(self, answered: Sequence[tuple[str, Body, Answer]]) -> None:
        new = [(body, answer) for key, body, answer in answered if self.used.count(key, body, answer)]
        if self.exchanges is not None:
            self.exchanges.add(new)

    def _blame(self, refused: Sequence[Answer]) -> None:
        """Raises RemoteError where requests were refused and none was ever answered: no row is to blame."""
        if refused and not self._has_answered:
            raise RemoteError(f"{self.address.url}: {refused[0].why}")

    def _answer(self, endpoint: Endpoint, task: Task, stop: threading.Event) -> Answer:
        try:
            return Answer(self._tried(endpoint, task, stop))
        except Fault as fault:
            found = no_answer(fault)
            if found is None:
                raise self.explained(fault) from None
            return found

    def _tried(
        self, endpoint: Endpoint, task: Task, stop: threading.Event, *, doubted: bool = False
    ) -> dict[str, Any]:
        """Send one request, with all its retries. Raises Fault. `doubted`: the server may not know a field,
        and what it then does is not retried more than once.
        """
        key, body = task
        return self.answers.keep(key, self.send(endpoint, body, stop, doubted=doubted))

    def send(
        self, endpoint: Endpoint, body: Body, stop: threading.Event, *, doubted: bool = False
    ) -> dict[str, Any]:
        """As `_tried`, for an answer that the caller stores. Raises Fault."""
        client = self._connect()
        attempt = 1
        while True:
            self._rate_limit.acquire(stop)
            sent = self.parameters.fitted({**self.extra, **body})
            try:
                return client.post(endpoint, sent)
            except Fault as fault:
                if is_too_long(fault):
                    raise
                if self.parameters.learn(fault, sent):
                    continue
                few = doubted and fault.status == 500
                wait = self._wait(fault, attempt, 2 if few else self.retry_policy.attempts)
            if stop.wait(wait):
                raise Stopped
            attempt += 1

    def _patiently(self, call: Callable[[], str]) -> str:
        """A call with all its retries. Raises Fault."""
        attempt = 1
        while True:
            try:
                return call()
            except Fault as fault:
                time.sleep(self._wait(fault, attempt, self.retry_policy.attempts))
            attempt += 1

    def _answers_bare(self, endpoint: Endpoint, body: Body) -> bool:
        """Whether the server answers the same request where it is asked for nothing but an answer."""
        bare = {**{name: value for name, value in body.items() if name in ASKED}, "max_tokens": 1}
        try:
            self._tried(endpoint, (self.key(endpoint, bare), bare), threading.Event())
        except Fault:
            return False
        return True

    def _wait(self, fault: Fault, attempt: int, attempts: int) -> float:
        """Seconds until the next attempt. Raises the fault when there is no next one."""
        if not fault.retry:
            raise fault
        if fault.after > self.retry_policy.patience:
            why = f"it asks to wait {fault.after:.0f} seconds; run this again then"
            raise fault.given_up(why) from None
        if attempt >= attempts:
            raise fault.given_up(f"gave up after {attempt} attempts") from None
        if fault.after:
            self._rate_limit.hold(fault.after)  # the limit was hit by all threads together
        return fault.after + back_off(self.retry_policy.pause, attempt)

    def explained(self, fault: Fault) -> RemoteError:
        hint = self._hint(fault)
        return RemoteError(f"{self.address.url}: {fault.why}" + (f"; {hint}" if hint else ""))

    def _hint(self, fault: Fault) -> str:
        client = self._connect()
        if fault.status == 401 or (fault.status == 403 and (fault.of_a_key or not client.has_key)):
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
