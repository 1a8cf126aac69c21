"""The local engine: a run that dies takes nothing with it, and several may be under way at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from stratune.engine.inline import InlineEngine
from stratune.engine.job import Place
from stratune.engine.local import LocalEngine
from tests.engine.jobs import toy_job

SHORT = {"epochs": 2}


@pytest.fixture(autouse=True)
def own_python(monkeypatch):
    """No warm one: here processes are stopped and killed by their ids, and the zygote must import."""
    monkeypatch.setattr("stratune.engine.local.sys", sys)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def job(tiny):
    return toy_job(tiny("bert"), epochs=100)  # longer than anybody waits before killing it


def done(engine, job, on_event=lambda event: None):
    """The result of one job, alone."""
    engine.submit(job, on_event)
    ended, result = engine.wait()
    assert ended == job
    return result


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


def zygote_of(engine):
    return engine._zygote.process.pid


def test_a_killed_run_is_a_failed_result_and_the_next_one_runs(job, out):
    with LocalEngine() as engine:
        engine.open(out)

        def kill(event):
            if event["event"] == "step":
                os.kill(children(zygote_of(engine))[0], signal.SIGKILL)

        failed = done(engine, job, kill)
        assert failed.status == "failed"
        assert (
            failed.error
            == "the run's process was killed (SIGKILL; the system kills a process when memory runs out)"
        )
        events = []
        assert done(engine, replace(job, budget=SHORT), events.append).status == "ok"
        assert {event["event"] for event in events} >= {"stage", "step", "val"}


def test_when_the_engine_goes_its_runs_go_too(job, out):
    engine = LocalEngine(jobs=2)
    started = set()

    class Stop(Exception):
        pass

    def stop(event):
        started.update(children(zygote_of(engine)))
        if event["event"] == "step" and len(started) == 2:
            raise Stop

    with pytest.raises(Stop), engine:
        engine.open(out)
        engine.submit(job, stop)
        engine.submit(replace(job, seed=1), stop)
        engine.wait()
    assert len(started) == 2 and all(gone(pid) for pid in started)
    assert not list((out / "runs").glob(".*"))


def test_the_death_of_the_process_that_starts_runs_fails_those_under_way_and_no_more(job, out):
    with LocalEngine(jobs=2) as engine:
        engine.open(out)

        killed = []

        def kill(event):
            if event["event"] == "step" and not killed:  # once: its number may soon be another process's
                killed.append(os.kill(zygote_of(engine), signal.SIGKILL))

        engine.submit(job, kill)
        engine.submit(replace(job, seed=1), kill)
        assert {engine.wait()[1].seed: engine.wait()[1].seed} in ({0: 1}, {1: 0})
        for seed in (0, 1):
            assert "SIGKILL" in (out / "runs" / replace(job, seed=seed).run_id / "result.json").read_text()
        assert done(engine, replace(job, budget=SHORT)).status == "ok"


def test_a_worker_that_is_killed_while_its_orders_are_written_is_a_failed_run(job, out):
    long = replace(job, strategy={**job.strategy, "text": "x" * 4_000_000})  # more than any pipe holds
    with LocalEngine() as engine:
        engine.open(out)
        os.kill(zygote_of(engine), signal.SIGSTOP)  # reads nothing
        killer = threading.Timer(1.0, os.kill, (zygote_of(engine), signal.SIGKILL))
        killer.start()
        failed = done(engine, long)
        killer.join()
        assert failed.status == "failed" and "SIGKILL" in failed.error
        assert done(engine, replace(job, budget=SHORT)).status == "ok"


def test_an_unforeseen_error_is_a_failed_result_with_its_traceback(job, out):
    broken = replace(job, train={"no_such_option": 1})
    with LocalEngine() as engine:
        engine.open(out)
        result = done(engine, broken)
    assert result.status == "failed" and "no_such_option" in result.error
    assert "Traceback" in result.traceback


def test_runs_at_once_end_as_they_come_and_each_tells_its_own_events(job, out):
    told = {0: [], 1: []}
    with LocalEngine(jobs=2) as engine:
        engine.open(out)
        engine.submit(replace(job, budget={"epochs": 60}), told[0].append)
        engine.submit(replace(job, seed=1, budget={"epochs": 3}), told[1].append)
        first, second = engine.wait(), engine.wait()
    assert [(ended.seed, result.status) for ended, result in (first, second)] == [(1, "ok"), (0, "ok")]
    last = {
        seed: [event for event in events if event["event"] == "step"][-1] for seed, events in told.items()
    }
    assert last[0]["epoch"] == 60 and last[1]["epoch"] == 3


def test_a_run_at_once_with_another_has_the_numbers_of_one_alone(job, out, tmp_path):
    job = replace(job, budget=SHORT)
    with LocalEngine(jobs=2) as engine:
        engine.open(out)
        for seed in (0, 1):
            engine.submit(replace(job, seed=seed), lambda event: None)
        together = {job.seed: result for job, result in (engine.wait(), engine.wait())}
    inline = InlineEngine()
    inline.open(tmp_path / "alone")
    for seed in (0, 1):
        alone = done(inline, replace(job, seed=seed))
        assert (alone.val, alone.test) == (together[seed].val, together[seed].test)


def test_a_job_names_no_path_of_this_machine(job, out):
    place = Place.here(out)
    written = str(replace(job, backbone="minilm"))
    assert str(out) not in written and place.splits not in written
    assert place.split(job).is_dir() and place.run(job.run_id) == out / "runs" / job.run_id
