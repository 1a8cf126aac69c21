"""Runs in this very process: under `accelerate launch`, where the processes are already there, and for
debugging.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING

from stratune.engine.events import OnEvent, reporting

if TYPE_CHECKING:
    from stratune.job import Job
    from stratune.result import RunResult


def launched() -> bool:
    """Did `accelerate launch` (or torchrun) start several of us?"""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


class InlineEngine:
    def __enter__(self) -> InlineEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def ready(self) -> None:
        """Wait for the other processes: one of them has just prepared the folder."""
        if launched():
            from accelerate import PartialState

            PartialState().wait_for_everyone()

    def run(self, job: Job, on_event: OnEvent) -> RunResult:
        from stratune.run import execute

        return execute(job, reporting(on_event))
