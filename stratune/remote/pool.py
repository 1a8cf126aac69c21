"""Many requests at once, in daemon threads: Ctrl-C does not wait for the slowest request."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TypeVar

from stratune.errors import StratuneError
from stratune.remote.rate_limit import Stopped

Item = TypeVar("Item")
Result = TypeVar("Result")

GRACE = 2.0  # seconds to wait, after an error, for the other requests under way: they are paid for


def as_completed(
    work: Callable[[Item, threading.Event], Result], items: Sequence[Item], workers: int
) -> Generator[tuple[Item, Result], None, None]:
    """(item, work(item, stop)) as they arrive. The first StratuneError stops the others and is raised.

    Not ThreadPoolExecutor, which waits for all its threads when the interpreter exits.
    """
    stop = threading.Event()
    arrived: queue.SimpleQueue[tuple[Item, Result] | StratuneError | None] = queue.SimpleQueue()
    remaining = iter(items)
    lock = threading.Lock()

    def run() -> None:
        try:
            while not stop.is_set():
                with lock:
                    item = next(remaining)
                arrived.put((item, work(item, stop)))
        except (StopIteration, Stopped):
            pass
        except StratuneError as error:
            arrived.put(error)
        finally:
            arrived.put(None)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(workers, len(items)))]
    for thread in threads:
        thread.start()
    try:
        yield from _until_done(arrived, len(items), len(threads))
    except StratuneError:
        stop.set()
        _wait(threads)
        raise
    finally:
        stop.set()


def _until_done(
    arrived: queue.SimpleQueue[tuple[Item, Result] | StratuneError | None], items: int, threads: int
) -> Iterator[tuple[Item, Result]]:
    while threads:
        found = arrived.get()
        if isinstance(found, StratuneError):
            raise found
        if found is None:
            threads -= 1
        else:
            items -= 1
            yield found
    if items:
        raise RuntimeError("a worker died of an error that is printed above")


def _wait(threads: Sequence[threading.Thread]) -> None:
    end = time.monotonic() + GRACE
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
