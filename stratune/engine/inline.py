"""Runs in this very process: under `accelerate launch`, where the processes are already there, and for
debugging.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from stratune.engine.events import OnEvent, Reporting
from stratune.train.processes import meet

if TYPE_CHECKING:
    from stratune.engine.job import Job
    from stratune.result import RunResult


class InlineEngine:
    def __enter__(self) -> InlineEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def ready(self) -> None:
        """Wait for the other processes: one of them has just prepared the folder."""
        meet()

    def run(self, job: Job, on_event: OnEvent) -> RunResult:
        from stratune.engine.run import execute

        return execute(job, Reporting(on_event))
