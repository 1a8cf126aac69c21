"""Runs on a cluster of two machines: the board is the local engine's, also where one of them dies."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.engine import ray_engine
from stratune.engine.choose import engine_for
from stratune.engine.inline import InlineEngine
from stratune.engine.ray_cluster import Share, share_of
from stratune.engine.ray_engine import RayEngine
from stratune.errors import ConfigError
from stratune.testing import toy_split
from tests.engine.jobs import toy_job

# What needs no connection comes first. Then one is shared, and with it the processes that have their imports
# behind them.


def machine(folder):
    """One processor, and a cache folder of its own, as machines have."""
    own = {"STRATUNE_CACHE": str(folder), "OMP_NUM_THREADS": "1"}
    return {"num_cpus": 1, "object_store_memory": 100 << 20, "env_vars": own}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The cache folder of the machine that is always there."""
    return tmp_path_factory.mktemp("first")


@pytest.fixture(scope="module")
def cluster(first):
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # 15 by default: beside other tests they would hardly move. Ray's own spelling.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    made = Cluster(initialize_head=True, head_node_args={**machine(first), "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def connected(cluster):
    """As somebody is who uses Ray already."""
    import ray

    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@dataclass
class Second:
    cluster: Any
    node: Any
    cache: Path

    def dies(self):
        self.cluster.remove_node(self.node, allow_graceful=False)


@pytest.fixture(scope="module")
def second(cluster, tmp_path_factory):
    cache = tmp_path_factory.mktemp("second")
    made = Second(cluster, cluster.add_node(**machine(cache)), cache)
    yield made
    if made.node in cluster.list_all_nodes():
        made.dies()


@pytest.fixture(autouse=True)
def address(request, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # here and there
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if "cluster" in request.fixturenames:
        monkeypatch.setenv("RAY_ADDRESS", request.getfixturevalue("cluster").address)


@pytest.fixture
def job(tiny):
    return toy_job(tiny("bert"), epochs=1)


def configured(tmp_path, tiny, strategies, epochs):
    rows = {part: toy_split().parts[part] for part in ("train", "val", "test")}
    files = {}
    for part, table in rows.items():
        files["source" if part == "train" else part] = str(tmp_path / f"{part}.csv")
        table.to_pandas().to_csv(tmp_path / f"{part}.csv", index=False)
    return parse_config(
        {
            "data": files,
            "strategies": strategies,
            "backbones": [str(tiny("bert"))],
            "budget": {"epochs": epochs},
            "train": {"precision": "float32", "patience": 1000},
        }
    )


def board_of(config, out, **how):
    """{run: its numbers and its predictions}. What else is written tells seconds, too."""
    results = list(run_comparison(config, out, **how))
    assert [result.error for result in results] == [None] * len(results)
    return {
        result.run_id: (
            result.val,
            result.test,
            (out / "runs" / result.run_id / "predictions.parquet").read_bytes(),
        )
        for result in results
    }


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "engine: RAY_ADDRESS '127.0.0.1:1': nothing answers ("),
        ("head:port", "engine: RAY_ADDRESS 'head:port': nothing answers ("),
        (
            "ray://head:10001",
            "engine: RAY_ADDRESS 'ray://head:10001' is no address of a cluster's head (host:port",
        ),
    ],
)
def test_an_address_that_leads_nowhere_is_one_line(address, message, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ConfigError) as error, RayEngine():
        pass
    assert str(error.value).startswith(message)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError) as error, RayEngine():
        pass
    assert str(error.value) == "engine: --engine ray needs one more package: pip install 'stratune[ray]'"


def test_an_engine_that_is_none():
    with pytest.raises(
        ConfigError, match="engine: 'rai' is not one of local, ray, slurm .did you mean 'ray'?"
    ):
        engine_for("rai")


CPUS = [{"CPU": 8.0}, {"CPU": 4.0}, {"memory": 1.0}]


@pytest.mark.parametrize(
    ("nodes", "jobs", "threads", "cpus", "gpus"),
    [
        (CPUS, None, "", 1, 0.0),
        (CPUS, 1, "", 8, 0.0),  # twelve, but no machine has them
        (CPUS, 3, "", 4, 0.0),
        (CPUS, 100, "", 1, 0.0),
        (CPUS, 3, "2", 2, 0.0),
        (CPUS, None, "6", 6, 0.0),
        ([{"CPU": 8.0, "GPU": 2.0}], None, "", 1, 1.0),
        ([{"CPU": 8.0, "GPU": 2.0}], 2, "", 4, 1.0),
        ([{"CPU": 8.0, "GPU": 2.0}], 5, "", 1, 1 / 3),
    ],
)
def test_what_a_run_asks_for(nodes, jobs, threads, cpus, gpus, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    share = share_of(nodes, jobs)
    assert (share.cpus, share.gpus) == (cpus, gpus)


# -- on a cluster


def processes_of(cache):
    """Numbers of the processes that run with this cache folder, of ours."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            there = f"STRATUNE_CACHE={cache}".encode() in (process / "environ").read_bytes().split(b"\0")
            ours = b"stratune.engine.zygote" in (process / "cmdline").read_bytes()
        except OSError:
            continue
        if there and ours:
            found.append(int(process.name))
    return found


def wait_until(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def submitted(engine, job, out, on_event=lambda event: None):
    with engine:
        engine.open(out)
        engine.submit(job, on_event)
        return engine.wait()[1]


def test_a_machine_with_another_stratune_says_so(cluster, job, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "__version__", "0.0.1")
    result = submitted(RayEngine(), job, tmp_path)
    assert result.status == "failed"
    assert result.error.startswith("engine ray: this node has stratune ") and result.error.endswith(
        "is of 0.0.1"
    )


def test_the_board_is_the_local_one_digit_for_digit(connected, first, second, tiny, tmp_path):
    config = configured(tmp_path, tiny, ["majority", "tfidf", "probe", "bitfit", "ensemble"], epochs=2)
    local = board_of(config, tmp_path / "local")
    events = []
    there = board_of(config, tmp_path / "ray", engine="ray", watch=events.append)
    assert len(local) == 5 and there == local
    assert {told.event["event"] for told in events} >= {"started", "stage", "val", "done"}
    assert not list((tmp_path / "ray").rglob(".*"))
    # The rows have travelled to both, and nothing else has stayed there.
    for cache in (first, second.cache):
        assert len(list((cache / "splits").iterdir())) == 1 and not list((cache / "ray").iterdir())
    again = list(run_comparison(config, tmp_path / "ray", engine="ray", watch=events.append))
    assert len(again) == 5 and events[-1].result is again[-1]


def test_a_machine_that_dies_costs_its_runs_and_changes_no_number(connected, second, tiny, tmp_path):
    config = configured(tmp_path, tiny, ["partial", "bitfit", "ensemble"], epochs=60)
    local = board_of(config, tmp_path / "local", engine=InlineEngine())
    training, notes, killed = set(), [], []

    def watch(told):
        if told.event["event"] == "note":
            notes.append((told.planned.run_id, told.event["text"]))
        if told.event["event"] == "step":
            training.add(told.planned.run_id)
        if told.event["event"] == "done":
            training.discard(told.planned.run_id)
        if len(training) == 2 and not killed:  # one on each
            killed.append(set(training))
            second.dies()

    there = board_of(config, tmp_path / "ray", engine="ray", watch=watch)
    assert there == local
    [(lost, note)] = [one for one in notes if "begun again" in one[1]]
    assert lost in killed[0] and note.startswith(
        "begun again, try 2 of 3, as its machine or Ray's process there died ("
    )


def test_what_a_run_cannot_do_there_is_a_failed_result(connected, job, tmp_path):
    result = submitted(RayEngine(), replace(job, backbone="no/such/folder"), tmp_path)
    assert result.status == "failed" and "no/such/folder" in result.error


def test_an_unforeseen_error_there_is_a_failed_result_with_its_traceback(
    connected, job, tmp_path, monkeypatch
):
    def breaks(order, split, folders):
        yield json.dumps({"event": "stage", "name": "x", "total": 1})
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(ray_engine, "work", breaks)
    result = submitted(RayEngine(), job, tmp_path)
    assert (result.status, result.error) == ("failed", "ZeroDivisionError: by zero")
    assert "by zero" in result.traceback and "\x1b" not in result.traceback


def test_a_run_goes_on_from_what_another_engine_left(connected, job, tmp_path):
    """A failed run is begun again where it was; its folder travels."""
    folder = tmp_path / "runs" / job.run_id
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("kept")
    (folder / "predictions.parquet").write_text("old")
    assert submitted(RayEngine(), job, tmp_path).status == "ok"
    assert (folder / "mine.txt").read_text() == "kept"
    assert (folder / "predictions.parquet").read_bytes() != b"old"


def test_when_the_engine_goes_its_runs_go_too(connected, first, job, tmp_path):
    class Stop(Exception):
        pass

    def stop(event):
        if event["event"] == "step":
            assert processes_of(first)
            raise Stop

    with pytest.raises(Stop):
        submitted(RayEngine(), replace(job, budget={"epochs": 10_000}), tmp_path, stop)
    wait_until(lambda: not processes_of(first))
    assert submitted(RayEngine(), job, tmp_path).status == "ok"
    assert not list((first / "ray").iterdir())  # what the killed one left is gone


def test_a_run_whose_machine_dies_every_time_is_a_failed_result(connected, job, tmp_path, monkeypatch):
    def dies(order, split, folders):
        yield json.dumps({"event": "stage", "name": "x", "total": 1})
        os.kill(os.getpid(), 9)

    monkeypatch.setattr(ray_engine, "work", dies)
    notes = []
    result = submitted(RayEngine(), job, tmp_path, notes.append)
    assert result.status == "failed"
    assert result.error.startswith(
        "its machine, or Ray's process there, died in each of 3 tries (WorkerCrashedError: "
    )
    assert [note["text"][:21] for note in notes if note["event"] == "note"] == [
        "begun again, try 2 of",
        "begun again, try 3 of",
    ]
    assert json.loads((tmp_path / "runs" / job.run_id / "result.json").read_text())["error"] == result.error


def test_without_a_machine_that_is_large_enough_it_says_so(connected, job, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(ray_engine, "share_of", lambda nodes, jobs: Share(64, 0.0))

    class Heard(Exception):
        pass

    def hear(event):
        raise Heard(event["text"])

    with pytest.raises(Heard, match="waits: no machine of the cluster has 64 processors"):
        submitted(RayEngine(jobs=1), job, tmp_path, hear)


def test_a_cluster_of_its_own_for_the_command_line(tmp_path):
    rows = "".join(f"{i} {'good' if i % 2 else 'bad'} words,{'up' if i % 2 else 'down'}\n" for i in range(40))
    (tmp_path / "rows.csv").write_text("text,label\n" + rows)
    command = [
        sys.executable,
        "-m",
        "stratune",
        "compare",
        "--data",
        "rows.csv",
        "--strategies",
        "majority",
    ]
    ran = subprocess.run(
        [*command, "--engine", "ray", "--anyway", "--json", "--out", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert {row["strategy"] for row in json.loads(ran.stdout)["rows"]} == {"majority"}
