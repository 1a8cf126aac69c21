"""Engine: takes jobs, gives back results as they come.

    with engine:                       # may prepare itself while the data are read
        engine.open(out)
        engine.submit(job, on_event)   # as many as `engine.jobs` at once
        job, result = engine.wait()

A cluster's (ray_engine.py) brings the stored split and the members of a combination to where a job runs, has
the local engine run it there with the Place of that machine, and brings the run's folder back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from stratune.engine.events import OnEvent
    from stratune.engine.job import Job
    from stratune.result import RunResult


class Engine(Protocol):
    @property
    def jobs(self) -> int:
        """How many may be under way at once."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: Any) -> None:
        """End what is under way; each run goes on from its last checkpoint when it is submitted again."""

    def open(self, out: Path) -> None:
        """The comparison's folder is ready: runs are written in it from now on."""

    def submit(self, job: Job, on_event: OnEvent) -> None:
        """Begin a run. `on_event` is called from within `wait`, with what the run tells meanwhile."""

    def wait(self) -> tuple[Job, RunResult]:
        """The next run that ends, with its result, which its folder holds too; a failed one where the run
        broke down. At least one must be under way.
        """
