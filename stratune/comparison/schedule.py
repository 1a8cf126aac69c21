"""The runs of a plan, done by an engine: as many at once as it takes, each when what it needs has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stratune.backbone.digest import weights_digest
from stratune.comparison.finished import finished
from stratune.comparison.plan import Planned, members_of
from stratune.config import Config
from stratune.engine.base import Engine
from stratune.engine.events import Event
from stratune.engine.job import Job, Place
from stratune.evaluate.selection import Selection
from stratune.identity import Identity, asked_by
from stratune.remote.address import is_remote
from stratune.result import RunResult

if TYPE_CHECKING:
    from stratune.task import Task


@dataclass(frozen=True)
class RunEvent:
    """Told to whoever watches: what happens in a run (`started`, an engine event, `done` with its result),
    and how many of all have ended.
    """

    planned: Planned
    event: Event
    ended: int
    total: int
    result: RunResult | None = None
    selection: Selection | None = None  # what ranks the results


@dataclass
class Schedule:
    """Runs begin in the order of the plan. What is on disk already is not done again."""

    runs: Sequence[Planned]
    config: Config
    place: Place
    split: str  # name of the stored split
    fingerprint: str
    task: Task
    engine: Engine
    watch: Callable[[RunEvent], None]
    ended: dict[str, RunResult] = field(default_factory=dict)  # by run id
    weights: dict[str, str | None] = field(default_factory=dict)  # by backbone
    ratings: str = ""  # a digest of those that soft labels are made of, where the task has any

    def results(self) -> Iterator[RunResult]:
        """As they come."""
        waiting, under_way = deque(self.runs), dict[str, Planned]()
        while waiting or under_way:
            while waiting and len(under_way) < self.engine.jobs and self._is_ready(waiting[0]):
                planned = waiting.popleft()
                job = self._job(planned)
                result, why_again = finished(job, self.place)
                if result is not None:
                    yield self._end(planned, result)
                else:
                    self._begin(planned, job, why_again)
                    under_way[job.run_id] = planned
            if under_way:
                job, result = self.engine.wait()
                yield self._end(under_way.pop(job.run_id), result)

    def _is_ready(self, planned: Planned) -> bool:
        return all(name in self.ended for name in planned.needs)

    def _begin(self, planned: Planned, job: Job, why_again: str | None) -> None:
        def tell(event: Event) -> None:
            self._tell(planned, event)

        tell({"event": "started"})
        if why_again is not None:
            tell({"event": "note", "text": f"{why_again}: it is run again"})
        self.engine.submit(job, tell)

    def _end(self, planned: Planned, result: RunResult) -> RunResult:
        self.ended[planned.run_id] = result
        self._tell(planned, {"event": "done"}, result)
        return result

    def _tell(self, planned: Planned, event: Event, result: RunResult | None = None) -> None:
        ended, total = len(self.ended), len(self.runs)
        self.watch(RunEvent(planned, event, ended, total, result, self.task.selection))

    def _job(self, planned: Planned) -> Job:
        sections: dict[str, Any] = self.config.model_dump(mode="json")
        well = {name: result for name, result in self.ended.items() if result.status == "ok"}
        members = members_of(planned, well, self.task)
        identity = Identity(
            data=self.fingerprint,
            task=self.task.to_dict(),
            budget=sections["budget"],
            train=sections["train"],
            decide=sections["decide"],
            strategy=planned.strategy,
            backbone=planned.backbone,
            weights=self._weights(planned.backbone),
            seed=planned.seed,
            members=members,
            asked=asked_by(sections["remote"]) if is_remote(planned.backbone or "") else {},
            ratings=self.ratings if planned.candidate.soft_labels else "",
        )
        return Job(
            split=self.split,
            fingerprint=self.fingerprint,
            strategy=planned.strategy,
            backbone=planned.backbone,
            seed=planned.seed,
            budget=sections["budget"],
            train=sections["train"],
            decide=sections["decide"],
            remote=sections["remote"],
            servers=dict(self.config.servers.keys),
            members=members,
            identity=identity.to_dict(),
        )

    def _weights(self, backbone: str | None) -> str | None:
        if backbone is None or is_remote(backbone):
            return None
        if backbone not in self.weights:
            self.weights[backbone] = weights_digest(backbone)
        return self.weights[backbone]
