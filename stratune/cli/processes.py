"""Batches answered by several processes, each with a model of its own, in the order of the input."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.cli.batches import Answering, Batch, size_of
from stratune.errors import StratuneError

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor

AHEAD = 2  # batches of each process that are read before they are needed: more would only take memory


@dataclass(frozen=True)
class Loading:
    """How a process gets the model. `device` None: the cards in turn, or the processor."""

    place: Path
    device: str | None = None
    allow_server: tuple[str, ...] = ()

    def load(self, number: int = 0) -> Predictor:
        """In process `number`."""
        from stratune.predictor.predictor import Predictor

        device = self.device if self.device is not None else _card(number)
        return Predictor.load(self.place, device=device, allow_server=self.allow_server)


def answered(
    loading: Loading, answering: Answering, batches: Iterable[Batch], jobs: int, first: int = 0
) -> Iterator[Batch]:
    """Each batch with its answers. `first` rows of the source come before them. Raises what a process raises;
    StratuneError where one was killed.
    """
    context = get_context("spawn")  # a fork would take torch's threads for its own
    before = set(active_children())
    numbers = context.Value("i", 0)
    begin = (loading, answering, jobs, numbers)
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=begin) as pool:
        under_way: deque[Future[Any]] = deque()
        try:
            for batch in batches:
                under_way.append(pool.submit(_answer, batch, first))
                first += size_of(batch)
                if len(under_way) > AHEAD * jobs:
                    yield _result(under_way.popleft())
            while under_way:
                yield _result(under_way.popleft())
        except BaseException:  # nobody wants what is under way, which may take minutes
            for process in set(active_children()) - before:
                process.terminate()
            raise


def _result(future: Future[Any]) -> Batch:
    try:
        found, why = future.result()
    except BrokenProcessPool:
        raise StratuneError(
            "a process that answered was killed, or ran out of memory: fewer --jobs"
        ) from None
    if why is not None:
        raise StratuneError(why)
    return dict(found)


# -- in each process

_mine: dict[str, Any] = {}


def _begin(loading: Loading, answering: Answering, jobs: int, numbers: Any) -> None:
    from stratune.engine.threads import share_cores
    from stratune.memory import set_up_memory

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the process that asks, which ends these
    with numbers.get_lock():
        number = numbers.value
        numbers.value += 1
    set_up_memory()
    share_cores(jobs)
    _mine.update(loading=loading, answering=answering, number=number)


def _answer(batch: Batch, first: int) -> tuple[Batch | None, str | None]:
    """(the answered batch, None), or why there is none: exceptions with places do not travel."""
    try:
        if "predictor" not in _mine:
            _mine["predictor"] = _mine["loading"].load(_mine["number"])
        return _mine["answering"](_mine["predictor"], batch, first), None
    except StratuneError as error:
        return None, str(error)


def _card(number: int) -> str | None:
    """The next card where there are several."""
    import torch

    count = torch.cuda.device_count()
    return f"cuda:{number % count}" if count > 1 else None
