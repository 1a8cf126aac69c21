"""Runs as jobs of a SLURM cluster, one a run (see slurm_task.py), in OUT and a cache that all nodes share.

    OUT/slurm/RUN/    order.json: the job; job.sh: what sbatch was given; job.log: what it printed;
                      events.jsonl: what the run tells

A run has ended when its result.json is there. What has no result and no job either is a failed one, with
SLURM's word for how the job ended. No number of a job is kept: all jobs of a comparison have one name, which
no other has, so that those of a command that was killed are found and cancelled by the next.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stratune.cores import THREADS
from stratune.engine.events import OnEvent
from stratune.engine.job import Job, Place
from stratune.engine.slurm_queue import Queue, State, check_commands
from stratune.engine.slurm_task import EVENTS, ORDER
from stratune.engine.threads import named_threads
from stratune.errors import ArtifactError, ConfigError
from stratune.evaluate.metrics import for_other_processes
from stratune.files import cache_folder, remove, sha256, write_json, write_text
from stratune.ownership import owned_by_us
from stratune.result import RunResult
from stratune.version import __version__

FOLDER, SCRIPT, LOG = "slurm", "job.sh", "job.log"
AT_ONCE = 100  # jobs in the queue, where none were named: clusters bound how many one user may have there
LOOK_SECONDS = 1.0  # between looks into the shared folder
ASK_SECONDS = 15.0  # between questions to SLURM's controller, which all users share
QUIET_SECONDS = 30.0  # after which it is told why a job still waits
LATE_SECONDS = 120.0  # what a node wrote may be seen so much later: NFS keeps names for up to a minute
LOG_LINES = 15  # of a job that failed
SILENT = "it printed nothing; somebody or the node's system may have killed its process"
WHY = {
    "TIMEOUT": "its time was up; SBATCH_TIMELIMIT gives it more",
    "OUT_OF_MEMORY": "it needed more memory than it had; SBATCH_MEM_PER_NODE gives it more",
    "NODE_FAIL": "its node failed",
    "BOOT_FAIL": "its node did not start",
    "PREEMPTED": "a job that goes before took its place",
    "CANCELLED": "scancel, or the cluster's administrator",
    "DEADLINE": "it could not end before its deadline",
}


@dataclass
class _UnderWay:
    job: Job
    on_event: OnEvent
    folder: Path
    since: float
    heard: int = 0  # bytes of its events
    told_why: bool = False
    gone_since: float | None = None  # when SLURM first had no such job at work, though there was no result

    def wrote(self) -> bool:
        """Whether anything that its node wrote is seen here."""
        return any((self.folder / name).exists() for name in (EVENTS, LOG))


class SlurmEngine:
    """`jobs`: as many at most are in SLURM's queue at once."""

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs or AT_ONCE
        self._place: Place | None = None
        self._folder = Path()
        self._queue: Queue | None = None
        self._under_way: dict[str, _UnderWay] = {}  # by the job's number
        self._ended: deque[tuple[Job, RunResult]] = deque()
        self._asked_at = 0.0
        self._silent = False  # whether SLURM did not answer the last time

    def __enter__(self) -> SlurmEngine:
        check_commands()
        return self

    def __exit__(self, *error: Any) -> None:
        """Cancel its jobs. An error may come while sbatch is at work: there may be one that is not known."""
        if self._queue is None or not (self._under_way or any(error)):
            return
        self._under_way.clear()
        try:
            self._queue.cancel()
        except ConfigError as failed:
            advice = f"cancel them with: scancel --name={self._queue.name}"
            print(f"jobs of SLURM may still run ({failed}); {advice}", file=sys.stderr)

    def open(self, out: Path) -> None:
        """Raises ConfigError where SLURM does not answer, or jobs of a killed command do not end."""
        self._place = Place.here(out)
        owned = owned_by_us(out)
        owned.own(FOLDER)
        self._folder = out.absolute() / FOLDER
        # A copy of the folder has the same id, and jobs of its own.
        self._queue = Queue(f"stratune-{sha256(owned.id, str(self._folder))[:12]}")
        _end_left_over(self._queue)

    def submit(self, job: Job, on_event: OnEvent) -> None:
        assert self._place is not None and self._queue is not None
        self._place.result_file(job).unlink(missing_ok=True)
        folder, cpus = self._folder / job.run_id, named_threads() or 1  # as many processors as threads
        remove(folder)
        order = {"job": asdict(job), "place": asdict(self._place), "version": __version__}
        write_json(folder / ORDER, order)
        write_text(folder / SCRIPT, _script(folder, cpus))
        try:
            number = self._queue.submit(
                folder / SCRIPT, folder / LOG, job.run_id, cpus=cpus, gpus=job.has_model
            )
        except ConfigError as refused:
            self._fail(job, str(refused))
        else:
            self._under_way[number] = _UnderWay(job, on_event, folder, time.monotonic())

    def wait(self) -> tuple[Job, RunResult]:
        while not self._ended:
            assert self._under_way
            for number, one in list(self._under_way.items()):
                self._look(number, one)
            if self._ended:
                break
            if time.monotonic() - self._asked_at >= ASK_SECONDS:
                self._ask()
                self._asked_at = time.monotonic()
            else:
                time.sleep(LOOK_SECONDS)
        return self._ended.popleft()

    def _look(self, number: str, one: _UnderWay) -> bool:
        """Into the shared folder. Whether its result is there."""
        assert self._place is not None
        there = (file := self._place.result_file(one.job)).is_file()
        _hear(one)  # after the look: all was told before the result was written
        try:
            result = RunResult.load(file) if there else None
        except ArtifactError:  # of a shared disk: a file that is replaced at this moment
            result = None
        if result is not None:
            del self._under_way[number]
            self._ended.append((one.job, result))
        return result is not None

    def _ask(self) -> None:
        """SLURM, which jobs are gone. While it does not answer, results are still seen."""
        assert self._queue is not None
        try:
            states = self._queue.states(list(self._under_way))
        except ConfigError as error:
            if not self._silent:
                self._note(f"SLURM does not answer ({error}); its jobs go on")
            self._silent = True
            return
        self._silent = False
        for number, one in list(self._under_way.items()):
            state = states.get(number)
            if state is not None and not state.ended:
                one.gone_since = None
                _tell_why_it_waits(number, one, state)
            elif not self._look(number, one) and (why := _how_it_ended(number, one, state, self._folder)):
                del self._under_way[number]
                self._fail(one.job, why, _tail(one.folder / LOG) or None)

    def _note(self, text: str) -> None:
        for one in self._under_way.values():
            one.on_event({"event": "note", "text": text})

    def _fail(self, job: Job, why: str, log: str | None = None) -> None:
        assert self._place is not None
        result = job.failed(why, job.fingerprint, log)
        result.save(self._place.result_file(job))
        self._ended.append((job, result))


def _end_left_over(queue: Queue) -> None:
    """Jobs of a command that was killed: they would write in the folders of ours."""
    if not queue.active():
        return
    queue.cancel()
    until = time.monotonic() + LATE_SECONDS
    while left := queue.active():
        if time.monotonic() > until:
            why = f"jobs of a former command are cancelled, but not gone: {', '.join(left)}; try again later"
            raise ConfigError(why, key="engine")
        time.sleep(LOOK_SECONDS)


def _script(folder: Path, cpus: int) -> str:
    """Says itself what the run needs, so that it does so also on a cluster that hands on no environment. Keys
    are not among it: they come with the environment alone.
    """
    threads = dict.fromkeys(THREADS, str(cpus))
    environment = for_other_processes() | threads
    environment |= {"STRATUNE_CACHE": str(cache_folder().absolute()), "TOKENIZERS_PARALLELISM": "true"}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    command = [sys.executable, "-m", "stratune.engine.slurm_task", str(folder / ORDER)]
    return "\n".join(["#!/bin/sh", *lines, f"exec {shlex.join(command)}", ""])


def _hear(one: _UnderWay) -> None:
    """What the run has told since; whole lines only. A line that a shared disk shows damaged is only missing
    from the picture.
    """
    file = one.folder / EVENTS
    if not file.is_file():
        return
    with file.open("rb") as events:
        events.seek(one.heard)
        told, newline, _ = events.read().rpartition(b"\n")
    one.heard += len(told) + len(newline)
    for line in told.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        one.on_event(event)


def _tell_why_it_waits(number: str, one: _UnderWay, state: State) -> None:
    if state.name == "PENDING" and not one.told_why and time.monotonic() - one.since >= QUIET_SECONDS:
        one.told_why = True
        one.on_event({"event": "note", "text": f"job {number} waits in SLURM's queue ({state.reason})"})


def _how_it_ended(number: str, one: _UnderWay, state: State | None, folder: Path) -> str | None:
    """Of a job that is gone, without a result. None: what it wrote may only be late."""
    name = state.name if state is not None else "unknown to SLURM"
    if name in WHY:
        return f"SLURM job {number}: {name} ({WHY[name]})"
    if name == "FAILED" and one.wrote():
        last = _tail(one.folder / LOG).splitlines()[-1:]
        return f"SLURM job {number}: FAILED ({last[0].strip() if last else SILENT})"
    one.gone_since = one.gone_since or time.monotonic()
    if time.monotonic() - one.gone_since < LATE_SECONDS:
        return None
    if not one.wrote():
        why = f"nothing that it wrote is seen in {folder}: --out must be on a disk that all nodes share"
        return f"SLURM job {number}: {name}, and {why}"
    return f"SLURM job {number}: {name}, and there is no result"


def _tail(log: Path) -> str:
    if not log.is_file():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-LOG_LINES:])
