"""Many cases in worker processes that are started again when they hang or die: both are findings."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from fuzz.worker import LIBRARIES, PACKAGE, READY, Done, Make, serve, short

START = 120.0  # seconds that a worker may take for its imports
CASES = 400  # of one worker; then a new one, so that what a case leaves behind does not last

Order = tuple[str, int]


@dataclass
class Tally:
    """What a campaign found. A finding is kept with the cases that showed it."""

    cases: Counter[str] = field(default_factory=Counter)
    valid: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    findings: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, order: Order, done: Done) -> None:
        kind, seed = order
        self.cases[kind] += 1
        self.seconds[kind] += done.seconds
        self.slowest[kind] = max(self.slowest.get(kind, 0.0), done.seconds)
        if not done.findings:
            (self.refused if done.code == 2 else self.valid)[kind] += 1
        for what in done.findings:
            self.findings[kind, what].append((seed, done.command))

    def broken(self, kind: str) -> int:
        """Cases with a finding."""
        return self.cases[kind] - self.valid[kind] - self.refused[kind]


class _Worker:
    def __init__(
        self, make: Make, base: Path, scratch: Path, seconds: float, libraries: Sequence[str]
    ) -> None:
        self.scratch, self.stacks = scratch, scratch.with_suffix(".stack")
        scratch.mkdir(parents=True, exist_ok=True)
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=serve, args=(theirs, make, base, scratch, seconds, libraries, self.stacks), daemon=True
        )
        self.process.start()
        theirs.close()
        self.order: Order | None = None
        self.until = time.monotonic() + START
        self.left = CASES

    def begin(self, order: Order, seconds: float) -> None:
        self.order, self.until = order, time.monotonic() + seconds + 2
        self.left -= 1
        self.pipe.send(order)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def how_it_died(self) -> str:
        self.process.join(5)
        return f"the process died (exit code {self.process.exitcode})"

    def where_it_hangs(self) -> str:
        stack = self.stacks.read_text() if self.stacks.exists() else ""
        frames = [(Path(file), name) for file, name in re.findall(r'File "(.*?)", line \d+ in (\w+)', stack)]
        inner = next((one for one in frames if one[0].is_relative_to(PACKAGE)), frames[0] if frames else None)
        return f"no end within the time: {short(*inner) if inner else 'no stack'}"


def campaign(
    orders: Sequence[Order],
    make: Make,
    base: Path,
    scratch: Path,
    *,
    workers: int = 1,
    seconds: float = 20.0,
    libraries: Sequence[str] = LIBRARIES,
) -> Iterator[tuple[Order, Done]]:
    """Each order with what came of it, as they end."""
    waiting = list(reversed(orders))
    crew: dict[Connection, _Worker] = {}
    started = 0
    try:
        while waiting or any(worker.order for worker in crew.values()):
            while waiting and len(crew) < workers:
                worker = _Worker(make, base, scratch / f"worker-{started}", seconds, libraries)
                crew[worker.pipe] = worker
                started += 1
            ready = wait(list(crew), timeout=0.5)
            for pipe, worker in list(crew.items()):
                if pipe not in ready and time.monotonic() < worker.until:
                    continue
                order, told = worker.order, _told(worker, pipe in ready)
                if order is not None:
                    yield order, told.done
                elif told.lost:
                    raise RuntimeError(f"a worker did not start: {told.done.findings}")
                worker.order = None
                if told.lost or worker.left <= 0 or not waiting:
                    crew.pop(pipe).end()
                else:
                    worker.begin(waiting.pop(), seconds)
    finally:
        for worker in crew.values():
            worker.end()


@dataclass(frozen=True)
class _Told:
    done: Done
    lost: bool = False  # nothing more will come from this worker


def _told(worker: _Worker, spoke: bool) -> _Told:
    """What a worker says, or what became of it."""
    command = "" if worker.order is None else f"{worker.order[0]}:{worker.order[1]}"
    if not spoke:
        return _Told(Done(None, command, [worker.where_it_hangs()]), lost=True)
    try:
        said = worker.pipe.recv()
    except EOFError:
        return _Told(Done(None, command, [worker.how_it_died()]), lost=True)
    return _Told(Done(0, "", []) if said == READY else said)
