"""Runs on this machine, each in a process of its own (see zygote.py), as many at once as asked for."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from stratune.engine.events import Event, OnEvent
from stratune.engine.job import Job, Place
from stratune.evaluate.metrics import for_other_processes
from stratune.result import RunResult

if TYPE_CHECKING:
    # Of which zygote, of which run (None: of all that it has, for it has died itself), and what.
    Message = tuple["_Zygote", int | None, Event]


@dataclass(frozen=True)
class _UnderWay:
    job: Job
    on_event: OnEvent
    zygote: _Zygote


class LocalEngine:
    """Entering it starts the zygote: its imports go on behind other work."""

    def __init__(self, jobs: int = 1) -> None:
        self.jobs = jobs if hasattr(os, "fork") else 1  # without it a zygote has one run (zygote.py)
        self._place: Place | None = None
        self._zygote: _Zygote | None = None
        self._numbers = itertools.count()
        self._under_way: dict[int, _UnderWay] = {}
        self._ended: deque[tuple[Job, RunResult]] = deque()
        self._told: SimpleQueue[Message] = SimpleQueue()

    def __enter__(self) -> LocalEngine:
        self._started()
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def open(self, out: Path) -> None:
        self._place = Place.here(out)

    def submit(self, job: Job, on_event: OnEvent) -> None:
        assert self._place is not None
        self._place.result_file(job).unlink(missing_ok=True)
        number, zygote = next(self._numbers), self._started()
        self._under_way[number] = _UnderWay(job, on_event, zygote)
        order = {"number": number, "job": asdict(job), "place": asdict(self._place), "jobs": self.jobs}
        zygote.send(json.dumps(order).encode() + b"\n")

    def wait(self) -> tuple[Job, RunResult]:
        while not self._ended:
            assert self._under_way
            self._hear(*self._told.get())
        return self._ended.popleft()

    def close(self) -> None:
        """End the zygote and with it the runs still going on (they are resumed from their checkpoints)."""
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.close(idle=not self._under_way)
        self._under_way.clear()

    def _started(self) -> _Zygote:
        if self._zygote is not None and self._zygote.process.poll() is not None:
            self._zygote.close(idle=True)  # it has died; `wait` will hear of it
            self._zygote = None
        self._zygote = self._zygote or _Zygote(self._told)
        return self._zygote

    def _hear(self, zygote: _Zygote, number: int | None, event: Event) -> None:
        if number is None:
            for lost in [n for n, one in self._under_way.items() if one.zygote is zygote]:
                self._end(self._under_way.pop(lost).job, event)
        elif event["event"] == "exit":
            self._end(self._under_way.pop(number).job, event)
        else:
            self._under_way[number].on_event(event)

    def _end(self, job: Job, how: Event) -> None:
        """The run's result; a failed one when its process died, with how it died."""
        assert self._place is not None
        file = self._place.result_file(job)
        if file.is_file():
            self._ended.append((job, RunResult.load(file)))
            return
        result = job.failed(
            _how_it_died(int(how["code"])), job.fingerprint, str(how.get("log") or "") or None
        )
        result.save(file)
        self._ended.append((job, result))


class _Zygote:
    """The process that starts runs, and a thread that reads what they tell: so neither waits for the other,
    however long a line is.
    """

    def __init__(self, told: SimpleQueue[Message]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stratune.engine.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end the runs in order
            env=os.environ | for_other_processes() | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._reader = Thread(target=self._read, args=(told,), daemon=True)
        self._reader.start()

    def _read(self, told: SimpleQueue[Message]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):  # else it was killed while it wrote
                number, _, event = line.partition(b" ")
                told.put((self, int(number), json.loads(event)))
        told.put((self, None, {"event": "exit", "code": self.process.wait()}))

    def send(self, line: bytes) -> None:
        """Where it has died the reader says so."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line)
            self.process.stdin.flush()

    def close(self, *, idle: bool) -> None:
        """The end of its standard input tells it to end, and its runs with it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        if idle:
            self.process.kill()  # it holds nothing, and may still be importing
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        self.process.stdout.close()


def _how_it_died(code: int) -> str:
    if code >= 0:
        return f"the run's process ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = "; the system kills a process when memory runs out" if name == "SIGKILL" else ""
    return f"the run's process was killed ({name}{hint})"
