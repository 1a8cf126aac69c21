"""Runs in this very process, one after the other: under `accelerate launch`, where the processes are already
there, and for debugging.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.engine.events import OnEvent, Reporting
from stratune.engine.job import Job, Place
from stratune.train.processes import meet

if TYPE_CHECKING:
    from stratune.result import RunResult


class InlineEngine:
    jobs = 1

    def __init__(self) -> None:
        self._place: Place | None = None
        self._waiting: deque[tuple[Job, OnEvent]] = deque()

    def __enter__(self) -> InlineEngine:
        return self

    def __exit__(self, *error: Any) -> None:
        """Nothing to end."""

    def open(self, out: Path) -> None:
        """Wait for the other processes: one of them has just prepared the folder."""
        meet()
        self._place = Place.here(out)

    def submit(self, job: Job, on_event: OnEvent) -> None:
        self._waiting.append((job, on_event))

    def wait(self) -> tuple[Job, RunResult]:
        from stratune.engine.run import execute

        assert self._place is not None
        job, on_event = self._waiting.popleft()
        return job, execute(job, self._place, Reporting(on_event))
