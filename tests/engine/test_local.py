"""The local engine: a run that dies takes nothing with it."""

import os
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from stratune.data.store import store_split
from stratune.engine.job import Job
from stratune.engine.local import LocalEngine
from stratune.strategy import parse_strategy
from stratune.testing import toy_split


@pytest.fixture
def job(tmp_path, tiny):
    split = toy_split()
    return Job(
        out=str(tmp_path / "out"),
        split=str(store_split(split)),
        fingerprint=split.fingerprint,
        strategy=parse_strategy("partial").settings(),
        backbone=str(tiny("bert")),
        seed=0,
        budget={"epochs": 100},  # longer than anybody waits before killing it
        train={"precision": "float32", "patience": 1000},
    )


def children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(line) for line in found.split()]


def gone(pid):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_killed_run_is_a_failed_result_and_the_next_one_runs(job):
    with LocalEngine() as engine:

        def kill(event):
            if event["event"] == "step":
                os.kill(children(engine._zygote.pid)[0], signal.SIGKILL)

        failed = engine.run(job, kill)
        assert failed.status == "failed"
        assert (
            failed.error
            == "the run's process was killed (SIGKILL; the system kills a process when memory runs out)"
        )
        events = []
        job = replace(job, budget={"epochs": 2})
        assert engine.run(job, events.append).status == "ok"
        assert {event["event"] for event in events} >= {"stage", "step", "val"}


def test_when_the_engine_goes_its_run_goes_too(job):
    engine = LocalEngine()
    started = []

    class Stop(Exception):
        pass

    def stop(event):
        if event["event"] == "step":
            started.extend(children(engine._zygote.pid))
            raise Stop

    with pytest.raises(Stop), engine:
        engine.run(job, stop)
    assert started and all(gone(pid) for pid in started)


def test_the_death_of_the_process_that_starts_runs_is_a_failed_run_and_no_more(job):
    with LocalEngine() as engine:

        def kill(event):
            if event["event"] == "step":
                os.kill(engine._zygote.pid, signal.SIGKILL)

        assert engine.run(job, kill).status == "failed"
        assert engine.run(replace(job, budget={"epochs": 2}), lambda event: None).status == "ok"


def test_an_unforeseen_error_is_a_failed_result_with_its_traceback(job):
    broken = replace(job, train={"no_such_option": 1})
    with LocalEngine() as engine:
        result = engine.run(broken, lambda event: None)
    assert result.status == "failed" and "no_such_option" in result.error
    assert "Traceback" in result.traceback
