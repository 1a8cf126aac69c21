"""Runs on the machines of a Ray cluster, each a task (see ray_task.py): $RAY_ADDRESS, or one that is started
here and ends with the comparison.

A run asks for processors, which are its threads too, so that its numbers are those of the local engine with
as many; and for a GPU where there are some and it has a model to run. A machine that dies costs the runs that
were on it: they begin again elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stratune.cores import THREADS
from stratune.engine.events import OnEvent
from stratune.engine.job import Job, Place
from stratune.engine.parcel import packed, pieces_of, unpack
from stratune.engine.ray_cluster import Share, connected, nodes, room, share_of
from stratune.engine.ray_task import work
from stratune.errors import ArtifactError, reason
from stratune.evaluate.metrics import for_other_processes
from stratune.files import replacing_folder
from stratune.result import RunResult
from stratune.version import __version__

if TYPE_CHECKING:
    Pieces = list[Any]  # ObjectRefs

TRIES = 3  # of a run whose machine or worker process dies
QUIET_SECONDS = 30.0  # after which it is asked whether there is a machine left
MADE = ("result.json", "model", "predictions.parquet")  # of a run that has ended: no run goes on from them


@dataclass
class _UnderWay:
    job: Job
    on_event: OnEvent
    folders: dict[str, Pieces]
    arrived: IO[bytes]  # of its folder
    tries: int = 1
    failed: str | None = None


class RayEngine:
    """Entering it connects to the cluster. `jobs` None: as many at once as there is room for."""

    def __init__(self, jobs: int | None = None) -> None:
        self._jobs = jobs
        self._ray: Any = None
        self._share = Share(1, 0.0)
        self._place: Place | None = None
        self._splits: dict[str, Pieces] = {}
        self._under_way: dict[Any, _UnderWay] = {}  # by what the task gives
        self._connection = contextlib.ExitStack()

    def __enter__(self) -> RayEngine:
        self._ray = self._connection.enter_context(connected())
        self._share = share_of(nodes(self._ray), self._jobs)
        return self

    def __exit__(self, *error: Any) -> None:
        for task, one in self._under_way.items():
            self._ray.cancel(task, force=True)
            one.arrived.close()
        self._under_way.clear()
        self._splits.clear()
        self._connection.close()

    @property
    def jobs(self) -> int:
        """Where none were named this grows and falls with the cluster."""
        if self._jobs is not None:
            return self._jobs
        return room(nodes(self._ray), self._share)

    def open(self, out: Path) -> None:
        self._place = Place.here(out)
        Path(self._place.runs).mkdir(parents=True, exist_ok=True)

    def submit(self, job: Job, on_event: OnEvent) -> None:
        assert self._place is not None
        self._place.result_file(job).unlink(missing_ok=True)
        if job.split not in self._splits:
            self._splits[job.split] = self._put(self._place.split(job))
        folders = {member: self._put(self._place.run(member)) for member in job.members}
        if (begun := self._place.run(job.run_id)).is_dir():
            folders[job.run_id] = self._put(begun, lambda name: name not in MADE)
        # It has no name: nothing of it stays.
        arrived = tempfile.TemporaryFile(dir=self._place.runs)  # noqa: SIM115  open as long as the run
        self._begin(_UnderWay(job, on_event, folders, arrived))

    def wait(self) -> tuple[Job, RunResult]:
        assert self._under_way
        gone = self._ray.exceptions
        while True:
            ready, _ = self._ray.wait(list(self._under_way), num_returns=1, timeout=QUIET_SECONDS)
            if not ready:
                self._say_if_there_is_no_room()
                continue
            one = self._under_way.pop(task := ready[0])
            try:
                item: str | bytes = self._ray.get(next(task))
            except StopIteration:
                return one.job, self._result(one)
            except gone.RayTaskError as error:
                cause = getattr(error, "cause", None) or error
                return one.job, self._failed(one, f"{type(cause).__name__}: {reason(cause)}", _plain(error))
            except (
                gone.WorkerCrashedError,
                gone.NodeDiedError,
                gone.OutOfMemoryError,
                gone.ObjectLostError,
            ) as error:
                why = f"{type(error).__name__}: {reason(error)}"
                if one.tries == TRIES:
                    text = f"its machine, or Ray's process there, died in each of {TRIES} tries ({why})"
                    return one.job, self._failed(one, text)
                self._again(one, why)
            else:
                self._under_way[task] = one
                self._hear(one, item)

    def _begin(self, one: _UnderWay) -> None:
        job, split = one.job, self._splits[one.job.split]
        order = {
            "job": asdict(job),
            "version": __version__,
            "cwd": str(Path.cwd()),
            "environment": for_other_processes() | dict.fromkeys(THREADS, str(self._share.cpus)),
        }
        task = self._ray.remote(work).options(
            name=f"stratune {job.run_id}",
            num_cpus=self._share.cpus,
            num_gpus=self._share.gpus if job.has_model else 0,
            num_returns="streaming",
            max_retries=0,  # we count
            scheduling_strategy="SPREAD",
        )
        self._under_way[task.remote(json.dumps(order), split, one.folders)] = one

    def _again(self, one: _UnderWay, why: str) -> None:
        one.tries += 1
        one.arrived.seek(0)
        one.arrived.truncate()
        text = f"begun again, try {one.tries} of {TRIES}, as its machine or Ray's process there died ({why})"
        one.on_event({"event": "note", "text": text})
        self._begin(one)

    def _hear(self, one: _UnderWay, item: str | bytes) -> None:
        if isinstance(item, bytes):
            one.arrived.write(item)
            return
        event = json.loads(item)
        if event["event"] == "failed":
            one.failed = event["text"]
        else:
            one.on_event(event)

    def _result(self, one: _UnderWay) -> RunResult:
        """What came back is there in one step, result.json with the rest."""
        assert self._place is not None
        if one.failed is not None:
            return self._failed(one, one.failed)
        folder = self._place.run(one.job.run_id)
        one.arrived.seek(0)
        try:
            with replacing_folder(folder) as empty, one.arrived:
                unpack(pieces_of(one.arrived), empty)
                RunResult.load(empty / "result.json")
        except ArtifactError as error:
            return self._failed(one, str(error))
        return RunResult.load(self._place.result_file(one.job))

    def _failed(self, one: _UnderWay, why: str, trace: str | None = None) -> RunResult:
        assert self._place is not None
        one.arrived.close()
        result = one.job.failed(why, one.job.fingerprint, trace)
        result.save(self._place.result_file(one.job))
        return result

    def _put(self, folder: Path, wanted: Callable[[str], bool] = lambda name: True) -> Pieces:
        return [self._ray.put(piece) for piece in packed(folder, wanted)]

    def _say_if_there_is_no_room(self) -> None:
        """Ray waits for a machine without a word, and one may come."""
        if not any(node.get("CPU", 0.0) >= self._share.cpus for node in nodes(self._ray)):
            text = f"waits: no machine of the cluster has {self._share.cpus} processors"
            for one in self._under_way.values():
                one.on_event({"event": "note", "text": text})


def _plain(error: Exception) -> str:
    """A traceback from elsewhere, without the colours that Ray gives it."""
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error))
