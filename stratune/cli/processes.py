"""Questions answered by several processes of this machine, each with a model of its own."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from typing import Any

from stratune.cli.batches import Batch, Question
from stratune.cli.workers import Added, Loading
from stratune.errors import StratuneError

AHEAD = 2  # questions of each process that are read before they are needed: more would only take memory


@dataclass(frozen=True)
class Processes:
    """See `processes`."""

    pool: ProcessPoolExecutor
    jobs: int

    @property
    def ahead(self) -> int:
        return AHEAD * self.jobs

    def ask(self, question: Question) -> Callable[[], Batch]:
        """The answers raise StratuneError with what a process said, or where one was killed."""
        asked = self.pool.submit(_answer, question)

        def answers() -> Batch:
            try:
                found: Batch | str = asked.result()
            except BrokenProcessPool:
                raise StratuneError(
                    "a process that answered was killed, or ran out of memory: fewer --jobs"
                ) from None
            if isinstance(found, str):
                raise StratuneError(found)
            return found

        return answers


@contextmanager
def processes(loading: Loading, added: Added, jobs: int) -> Iterator[Processes]:
    context = get_context("spawn")  # a fork would take torch's threads for its own
    before = set(active_children())
    begin = (loading, added, jobs, context.Value("i", 0))
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=begin) as pool:
        try:
            yield Processes(pool, jobs)
        except BaseException:  # nobody wants what is under way, which may take minutes
            for process in set(active_children()) - before:
                process.terminate()
            raise


# -- in each process

_mine: dict[str, Any] = {}


def _begin(loading: Loading, added: Added, jobs: int, numbers: Any) -> None:
    from stratune.engine.threads import share_cores
    from stratune.memory import set_up_memory

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the process that asks, which ends these
    with numbers.get_lock():
        number = numbers.value
        numbers.value += 1
    set_up_memory()
    share_cores(jobs)
    _mine.update(loading=loading, added=added, number=number)


def _answer(question: Question) -> Batch | str:
    """The columns, or why there are none: exceptions with places do not travel."""
    try:
        if "predictor" not in _mine:
            _mine["predictor"] = _mine["loading"].load(_mine["number"])
        answers: Batch = _mine["added"](_mine["predictor"], question)
    except StratuneError as error:
        return str(error)
    return answers
