"""What a running server holds: its models, a queue for each, and what is under way."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from stratune.predictor.predictor import Predictor
from stratune.predictor.written import Answer, answer_objects
from stratune.serving.batcher import Batcher, Turn
from stratune.serving.limits import Limits
from stratune.serving.meters import Meters
from stratune.serving.served import Served, ServedModel

if TYPE_CHECKING:
    from stratune.longtext.evidence import Evidence

WARM = "A text that is answered before others come."


@dataclass(frozen=True)
class Answered:
    """A row's answer. `evidence`: its most important chunks; None of a model that reads texts whole."""

    answer: Answer
    evidence: list[Evidence] | None


class Service:
    """`under_way`: requests that are not answered yet."""

    def __init__(self, served: Served, limits: Limits) -> None:
        self.served, self.limits, self.meters = served, limits, Meters()
        self.under_way = 0
        self.draining = False
        self.began = int(time.time())
        self._worker: ThreadPoolExecutor | None = None
        self._batchers: dict[str, Batcher[Answered]] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within the block its models answer."""
        with ThreadPoolExecutor(1, "stratune-model") as worker:
            self._worker = worker
            turn, tasks = Turn(worker, asyncio.Lock()), list[asyncio.Task[None]]()
            for name, model in self.served.models.items():
                await asyncio.get_running_loop().run_in_executor(worker, _warm_up, model.predictor)
                seen = partial(self.meters.batch, name)
                batcher = Batcher(partial(_answers, model.predictor), self.limits, turn, seen)
                self.meters.watch_queue(name, partial(_rows_of, batcher))
                self._batchers[name] = batcher
                tasks.append(asyncio.create_task(batcher.run()))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def answer(
        self,
        model: ServedModel,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        *,
        patient: bool = False,
    ) -> list[Answer]:
        """(N,) answers. Raises as `Batcher.answer`."""
        found = await self._batchers[model.name].answer(texts, pairs, patient=patient)
        return [one.answer for one in found]

    async def answered(
        self, model: ServedModel, texts: Sequence[str], pairs: Sequence[str] | None
    ) -> list[Answered]:
        """(N,) answers with their evidence. Raises as `Batcher.answer`."""
        return await self._batchers[model.name].answer(texts, pairs)

    async def prompt(self, model: ServedModel, text: str, pair: str | None) -> str | None:
        """What a language model is asked about a text; None where nothing is asked."""
        # in the thread of the models: a tokenizer changes while it is used
        loop, render = asyncio.get_running_loop(), model.predictor.model.prompt
        return await loop.run_in_executor(self._worker, render, text, pair)

    def drain(self) -> None:
        """From here on new requests are refused; those under way are answered."""
        self.draining = True
        for batcher in self._batchers.values():
            batcher.close()

    async def drained(self) -> None:
        """When nothing is under way, or `drain_seconds` are over."""
        end = time.monotonic() + self.limits.drain_seconds
        while self.under_way and time.monotonic() < end:
            await asyncio.sleep(0.02)


def _answers(predictor: Predictor, texts: list[str], pairs: list[str] | None) -> list[Answered]:
    scored = predictor.answer(texts, pairs)
    evidence: Sequence[list[Evidence] | None] = scored.evidence or [None] * len(texts)
    return [Answered(*one) for one in zip(answer_objects(predictor, scored), evidence, strict=True)]


def _warm_up(predictor: Predictor) -> None:
    """The first forward pass takes longer: weights are cast. One that costs money waits for a request."""
    if not predictor.model.paid:
        predictor.answer([WARM], [WARM] if predictor.task.text_pair is not None else None)


def _rows_of(batcher: Batcher[Answered]) -> int:
    return batcher.rows
