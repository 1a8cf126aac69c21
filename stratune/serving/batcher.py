"""Rows of many requests answered in one call: a queue for each model, one thread for all of them.

While the thread computes, rows wait, and the next batch takes what has come: under load it fills by itself.
Only where the last batch had several requests does the next one wait for more; a lone request never does.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from stratune.serving.limits import Limits, tokens_about
from stratune.serving.refusals import Refused

T = TypeVar("T")  # the answer to one row
Answers = Callable[[list[str], "list[str] | None"], list[T]]  # (N,) texts, and their pairs -> (N,) answers
LONGEST = 60  # seconds that Retry-After may say
SMOOTHING = 0.2  # of the measured rate: the share of the last batch


@dataclass(eq=False)
class _Waiting(Generic[T]):
    """Rows of one request that are answered together. `request` tells whose they are."""

    texts: list[str]
    pairs: list[str] | None
    tokens: int
    answers: asyncio.Future[list[T]]
    request: object


@dataclass(eq=False)
class Turn:
    """What the queues of all models share: the thread, in the order in which they ask for it."""

    worker: Executor
    lock: asyncio.Lock


class Batcher(Generic[T]):
    """`answer` is called in the thread. `seen(rows, seconds)` hears of every batch."""

    def __init__(
        self,
        answer: Answers[T],
        limits: Limits,
        turn: Turn,
        seen: Callable[[int, float], None] = lambda rows, seconds: None,
    ) -> None:
        self._answer, self._limits, self._turn, self._seen = answer, limits, turn, seen
        self._waiting: deque[_Waiting[T]] = deque()
        self._come = asyncio.Event()
        self._room = asyncio.Event()
        self._shared = False  # the last batch had rows of several requests
        self._rate = 0.0  # rows a second; 0: not measured yet
        self._closed = False
        self.rows = 0  # that wait

    async def answer(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, *, patient: bool = False
    ) -> list[T]:
        """(N,) answers, in the order of the texts. `patient`: wait for room in the queue.

        Raises Refused where the queue is full (429) or the server stops (503), and what the model raises.
        Cancelled, its rows leave the queue.
        """
        if not texts:
            return []
        while patient and self._is_full(len(texts)):
            self._room.clear()
            await self._room.wait()
        if self._closed and not patient:
            raise Refused(503, "the server is stopping; ask another one", after=1)
        if self._is_full(len(texts)):
            why = f"{self.rows:,} rows wait already, of at most {self._limits.queue:,}"
            raise Refused(429, why, after=self._patience(len(texts)))
        parts = self._parts(list(texts), None if pairs is None else list(pairs))
        self._waiting.extend(parts)
        self.rows += len(texts)
        self._come.set()
        try:
            found = await asyncio.gather(*(part.answers for part in parts))
        except BaseException:
            self._leave(parts)
            raise
        return [one for part in found for one in part]

    def close(self) -> None:
        """What waits is answered, what comes is refused; streams go on."""
        self._closed = True

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            if not self._waiting:
                self._come.clear()
                await self._come.wait()
            if self._shared and not self._limits.exact:
                await self._for_more()
            async with self._turn.lock:
                if batch := self._take():
                    await self._compute(batch)

    # -- the queue

    def _is_full(self, rows: int) -> bool:
        return bool(self.rows) and self.rows + rows > self._limits.queue

    def _patience(self, rows: int) -> int:
        """Seconds until there is room, at the rate of late."""
        over = self.rows + rows - self._limits.queue
        return 1 if not self._rate else max(1, min(LONGEST, math.ceil(over / self._rate)))

    def _parts(self, texts: list[str], pairs: list[str] | None) -> list[_Waiting[T]]:
        """In pieces that fit into a batch, so that a long request lets short ones in between."""
        request, loop = object(), asyncio.get_running_loop()
        costs = [tokens_about(text) for text in texts]
        if pairs is not None:
            costs = [cost + tokens_about(pair) for cost, pair in zip(costs, pairs, strict=True)]
        limits, parts, start = self._limits, list[_Waiting[T]](), 0

        def cut(end: int) -> None:
            beside = None if pairs is None else pairs[start:end]
            part = _Waiting(texts[start:end], beside, sum(costs[start:end]), loop.create_future(), request)
            parts.append(part)

        tokens = 0
        for row, cost in enumerate(costs):
            full = row - start >= limits.batch_rows or tokens + cost > limits.batch_tokens
            if full and row > start and not limits.exact:
                cut(row)
                start, tokens = row, 0
            tokens += cost
        cut(len(texts))
        return parts

    def _take(self) -> list[_Waiting[T]]:
        """The next batch: whole parts, at least one."""
        batch, rows, tokens = list[_Waiting[T]](), 0, 0
        while self._waiting:
            part = self._waiting[0]
            rows, tokens = rows + len(part.texts), tokens + part.tokens
            if batch and (self._limits.exact or self._is_over(rows, tokens)):
                break
            batch.append(self._waiting.popleft())
        self._lessen(sum(len(part.texts) for part in batch))
        return batch

    def _leave(self, parts: Sequence[_Waiting[T]]) -> None:
        gone = {id(part) for part in parts}
        staying = [part for part in self._waiting if id(part) not in gone]
        if len(staying) < len(self._waiting):
            left = sum(len(part.texts) for part in self._waiting if id(part) in gone)
            self._waiting = deque(staying)
            self._lessen(left)
        for part in parts:
            part.answers.cancel()

    def _lessen(self, rows: int) -> None:
        self.rows -= rows
        self._room.set()

    def _is_over(self, rows: int, tokens: int) -> bool:
        return rows > self._limits.batch_rows or tokens > self._limits.batch_tokens

    async def _for_more(self) -> None:
        """Until a batch is full, or `wait_ms` are over."""
        end = time.monotonic() + self._limits.wait_ms / 1000
        while (left := end - time.monotonic()) > 0:
            rows, tokens = self.rows, sum(part.tokens for part in self._waiting)
            if rows >= self._limits.batch_rows or tokens >= self._limits.batch_tokens:
                return
            self._come.clear()
            try:
                await asyncio.wait_for(self._come.wait(), left)
            except TimeoutError:
                return

    # -- the thread

    async def _compute(self, batch: list[_Waiting[T]]) -> None:
        self._shared = len({id(part.request) for part in batch}) > 1
        try:
            await self._together(batch)
        except Exception as error:  # noqa: BLE001  it is raised where the request waits
            if len(batch) > 1:  # of one request: the others are answered without it
                for part in batch:
                    await self._compute([part])
            elif not batch[0].answers.done():
                batch[0].answers.set_exception(error)

    async def _together(self, batch: list[_Waiting[T]]) -> None:
        texts = [text for part in batch for text in part.texts]
        paired = batch[0].pairs is not None
        pairs = [pair for part in batch for pair in part.pairs or ()] if paired else None
        begun = time.perf_counter()
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._turn.worker, self._answer, texts, pairs)
        seconds = max(time.perf_counter() - begun, 1e-9)
        rate = len(texts) / seconds
        self._rate = rate if not self._rate else (1 - SMOOTHING) * self._rate + SMOOTHING * rate
        self._seen(len(texts), seconds)
        start = 0
        for part in batch:
            end = start + len(part.texts)
            if not part.answers.done():  # its request was cancelled
                part.answers.set_result(found[start:end])
            start = end
