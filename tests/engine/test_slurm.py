"""Runs as jobs of a SLURM cluster, whose commands are stood in for (slurm_cluster.py): the jobs are real
processes that know nothing of this one.
"""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.engine import slurm_engine
from stratune.engine.choose import engine_for
from stratune.engine.inline import InlineEngine
from stratune.engine.slurm_engine import SlurmEngine
from stratune.errors import ConfigError
from stratune.ownership import Owned
from stratune.testing import toy_split
from tests import warm
from tests.engine.jobs import toy_job

SCRIPT = Path(__file__).with_name("slurm_cluster.py").read_text()
COMMANDS = ("sbatch", "squeue", "sacct", "scancel")


class Cluster:
    def __init__(self, folder):
        self.folder = folder

    def job(self, number):
        return json.loads((self.folder / f"{number}.json").read_text())

    @property
    def numbers(self):
        return sorted(int(path.stem) for path in self.folder.glob("*.json"))

    def ends(self, number, state):
        (self.folder / f"{number}.state").write_text(state)
        os.killpg(self.job(number)["group"], signal.SIGKILL)

    def state(self, number):
        return (self.folder / f"{number}.state").read_text()

    def runs(self, number):
        """Whether a process of this job is alive (a dead one that nobody waits for is not)."""
        group = self.job(number)["group"]
        told = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True).stdout
        return any(int(one) == group and kind[0] != "Z" for one, kind in map(str.split, told.splitlines()))


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    memory, commands = tmp_path / "slurm", tmp_path / "bin"
    memory.mkdir()
    commands.mkdir()
    for name in COMMANDS:
        path = commands / name
        path.write_text(f"#!{sys.executable} -SE\n{SCRIPT}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    for name in [one for one in os.environ if one.startswith("SBATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_FOLDER", str(memory))
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # here and there
    monkeypatch.setattr(slurm_engine, "sys", warm.Sys())
    monkeypatch.setattr(slurm_engine, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(slurm_engine, "ASK_SECONDS", 0.3)
    monkeypatch.setattr(slurm_engine, "LATE_SECONDS", 5.0)
    made = Cluster(memory)
    yield made
    for number in made.numbers:
        if "group" in made.job(number) and made.runs(number):
            os.killpg(made.job(number)["group"], signal.SIGKILL)


@pytest.fixture
def out(tmp_path):
    Owned.claim(tmp_path / "out", {})
    return tmp_path / "out"


@pytest.fixture
def job(cluster, tiny):
    return toy_job(tiny("bert"), epochs=1)


@pytest.fixture
def long(job):
    return replace(job, budget={"epochs": 10_000})


def submitted(job, out, on_event=lambda event: None):
    with SlurmEngine() as engine:
        engine.open(out)
        engine.submit(job, on_event)
        return engine.wait()[1]


def board_of(config, out, **how):
    """{run: its numbers and its predictions}. What else is written tells seconds, too."""
    results = list(run_comparison(config, out, **how))
    assert [result.error for result in results] == [None] * len(results)
    predictions = {
        one.run_id: (out / "runs" / one.run_id / "predictions.parquet").read_bytes() for one in results
    }
    return {one.run_id: (one.val, one.test, predictions[one.run_id]) for one in results}


def test_the_board_is_the_local_one_digit_for_digit(cluster, tiny, tmp_path):
    files = {}
    for part in ("train", "val", "test"):
        files["source" if part == "train" else part] = str(tmp_path / f"{part}.csv")
        toy_split().parts[part].to_pandas().to_csv(tmp_path / f"{part}.csv", index=False)
    config = parse_config(
        {
            "data": files,
            "strategies": ["majority", "bitfit", "ensemble"],
            "backbones": [str(tiny("bert"))],
            "budget": {"epochs": 2},
            "train": {"precision": "float32", "patience": 1000},
        }
    )
    local = board_of(config, tmp_path / "local", engine=InlineEngine())
    events = []
    there = board_of(config, tmp_path / "out", engine="slurm", watch=events.append)
    assert len(local) == 3 and there == local
    assert {told.event["event"] for told in events} >= {"started", "stage", "val", "done"}
    assert cluster.numbers == [42, 43, 44]
    # A job has written its last line before its process is gone.
    wait_until(lambda: not any(map(cluster.runs, cluster.numbers)))
    # The folder with the logs is known to be ours: a new start removes it, and what is done is not done again.
    assert "slurm" in Owned.read(tmp_path / "out").files
    assert board_of(config, tmp_path / "out", engine="slurm") == there
    assert cluster.numbers == [42, 43, 44]


def test_what_sbatch_is_given(job, out, cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("SBATCH_PARTITION", "long")
    monkeypatch.setenv("SBATCH_GPUS", "1")
    monkeypatch.setenv("SBATCH_GRES", "gpu:1")
    monkeypatch.setenv("SLURM_NODES", "busy")
    with SlurmEngine() as engine:
        engine.open(out)
        engine.submit(job, print)
        engine.submit(replace(job, backbone=None), print)
    folder = out / "slurm" / job.run_id
    given = cluster.job(42)
    name = given["options"].pop("job-name")
    assert name.startswith("stratune-") and cluster.job(43)["name"] == name
    assert given["options"] == {
        "parsable": "",
        "comment": job.run_id,
        "output": str(folder / "job.log"),
        "error": str(folder / "job.log"),
        "no-requeue": "",
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": "3",
    }
    first, *exports, last = given["script"].splitlines()
    assert first == "#!/bin/sh"
    assert [line.partition("=")[0] for line in exports] == [
        f"export {name}"
        for name in (
            "OMP_NUM_THREADS",
            "PYTHONPATH",
            "RAYON_NUM_THREADS",
            "STRATUNE_CACHE",
            "TOKENIZERS_PARALLELISM",
        )
    ]
    assert exports[0] == "export OMP_NUM_THREADS=3"
    assert f"export STRATUNE_CACHE={tmp_path / 'cache'}" in exports
    assert last == f"exec {warm.python()} -m stratune.engine.slurm_task '{folder / 'order.json'}'"
    assert given["environment"] == {
        "SBATCH_PARTITION": "long",
        "SBATCH_GPUS": "1",
        "SBATCH_GRES": "gpu:1",
    }
    assert cluster.job(43)["environment"] == {"SBATCH_PARTITION": "long"}  # it has no use for a GPU


def test_a_job_that_slurm_ends_is_a_failed_result_and_is_begun_again(long, out, cluster):
    ended = []

    def kill(event):
        if event["event"] == "step" and not ended:
            ended.append(cluster.ends(42, "TIMEOUT"))

    result = submitted(long, out, kill)
    assert result.status == "failed"
    assert result.error == "SLURM job 42: TIMEOUT (its time was up; SBATCH_TIMELIMIT gives it more)"
    file = out / "runs" / long.run_id / "result.json"
    assert json.loads(file.read_text())["error"] == result.error
    assert submitted(replace(long, budget={"epochs": 1}), out).status == "ok"


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("OUT_OF_MEMORY", "it needed more memory than it had; SBATCH_MEM_PER_NODE gives it more"),
        ("NODE_FAIL", "its node failed"),
        ("PREEMPTED", "a job that goes before took its place"),
    ],
)
@pytest.mark.parametrize("forgotten", [False, True])
def test_slurms_word_for_how_a_job_ended_is_the_reason(state, why, forgotten, job, out, cluster, monkeypatch):
    monkeypatch.setenv("SLURM_NODES", "busy")
    monkeypatch.setattr(slurm_engine, "QUIET_SECONDS", 0)

    def end(event):  # it says that it waits
        (cluster.folder / "42.state").write_text(state)
        if forgotten:  # by squeue, after some minutes; accounts are not
            (cluster.folder / "42.forgotten").touch()

    assert submitted(job, out, end).error == f"SLURM job 42: {state} ({why})"


def test_a_job_that_breaks_down_shows_the_end_of_its_log(job, out, cluster, monkeypatch):
    monkeypatch.setattr(slurm_engine.sys, "executable", "/no/python")
    result = submitted(job, out)
    assert result.status == "failed"
    assert result.error.startswith("SLURM job 42: FAILED (") and "/no/python: not found" in result.error
    assert "/no/python: not found" in result.traceback


def test_what_sbatch_refuses_is_a_failed_result(job, out, cluster, monkeypatch):
    monkeypatch.setenv("SBATCH_PARTITION", "nowhere")
    result = submitted(job, out)
    assert result.error == "engine: sbatch: Batch job submission failed: Invalid partition name specified"


class Stop(Exception):
    pass


def stop(event):
    if event["event"] == "step":
        raise Stop


def wait_until(condition):
    until = time.monotonic() + 120  # a command starts slowly beside other work
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_when_the_engine_goes_its_jobs_are_cancelled(long, out, cluster):
    with pytest.raises(Stop):
        submitted(long, out, stop)
    assert cluster.state(42) == "CANCELLED"
    wait_until(lambda: not cluster.runs(42))


def test_jobs_of_a_command_that_was_killed_are_cancelled_by_the_next(long, out, cluster):
    killed = SlurmEngine()
    killed.open(out)
    killed.submit(long, stop)
    with pytest.raises(Stop):
        killed.wait()
    assert cluster.runs(42)  # nobody has told it
    assert submitted(replace(long, budget={"epochs": 1}), out).status == "ok"
    assert cluster.state(42) == "CANCELLED" and not cluster.runs(42)


def test_jobs_of_another_folder_are_left_alone(job, long, out, tmp_path, cluster):
    """Also those of a copy, which has the id of this one."""
    other = tmp_path / "copy"
    other.mkdir()
    for file in out.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    with SlurmEngine() as engine:
        engine.open(out)
        engine.submit(long, print)
        assert submitted(job, other).status == "ok"
        assert cluster.runs(42)


def test_nodes_that_do_not_see_the_folder_are_named(job, out, cluster, monkeypatch):
    monkeypatch.setenv("SLURM_NODES", "blind")
    monkeypatch.setattr(slurm_engine, "LATE_SECONDS", 0.5)
    result = submitted(job, out)
    assert result.error == (
        f"SLURM job 42: FAILED, and nothing that it wrote is seen in {out / 'slurm'}: "
        "--out must be on a disk that all nodes share"
    )


def test_nodes_that_do_not_see_the_cache_are_named(job, out, cluster):
    result = submitted(replace(job, split="elsewhere"), out)
    assert result.error.startswith("engine slurm: node ")
    assert result.error.endswith("elsewhere: name a folder that all nodes share with STRATUNE_CACHE")


def test_nodes_with_another_stratune_are_named(job, out, cluster, monkeypatch):
    monkeypatch.setattr(slurm_engine, "__version__", "0.0.1")
    assert submitted(job, out).error.endswith("the comparison is of 0.0.1")


def test_a_job_that_waits_says_why(job, out, cluster, monkeypatch):
    monkeypatch.setenv("SLURM_NODES", "busy")
    monkeypatch.setattr(slurm_engine, "QUIET_SECONDS", 0.5)
    told = []

    def hear(event):
        told.append(event)
        raise Stop

    with pytest.raises(Stop):
        submitted(job, out, hear)
    assert told == [{"event": "note", "text": "job 42 waits in SLURM's queue (Resources)"}]
    assert cluster.state(42) == "CANCELLED"


def test_a_controller_that_is_down_costs_nothing(job, out, cluster):
    told = []
    with SlurmEngine() as engine:
        engine.open(out)
        (cluster.folder / "down").touch()
        engine.submit(job, told.append)
        assert engine.wait()[1].status == "ok"
    [note] = [event["text"] for event in told if event["event"] == "note"]
    assert note == (
        "SLURM does not answer (engine: squeue: slurm_load_jobs error: Unable to contact slurm controller "
        "(connect failure)); its jobs go on"
    )


def test_a_folder_of_the_users_is_not_taken(job, out, cluster):
    (out / "slurm").mkdir()
    with pytest.raises(ConfigError, match="slurm is not stratune's; move it"):
        submitted(job, out)
    assert cluster.numbers == []


def test_a_machine_that_is_no_login_node(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError) as error, engine_for("slurm"):
        pass
    assert str(error.value) == (
        "engine: --engine slurm: sbatch, squeue, scancel not found; run it where jobs are submitted "
        "(a login node of the cluster)"
    )


def test_at_most_so_many_are_in_the_queue_as_were_named():
    assert engine_for("slurm", 7).jobs == 7 and engine_for("slurm").jobs == 100


def test_from_the_command_line_and_interrupted(cluster, tmp_path):
    """Ctrl-C cancels; the same command goes on."""
    rows = "".join(f"{i} {'good' if i % 2 else 'bad'} words,{'up' if i % 2 else 'down'}\n" for i in range(40))
    (tmp_path / "rows.csv").write_text("text,label\n" + rows)
    command = [warm.python(), "-m", "stratune", "compare", "--data", "rows.csv", "--strategies", "majority"]
    command += ["--engine", "slurm", "--anyway", "--json", "--out", "out"]
    started = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"SLURM_NODES": "busy"}, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: cluster.numbers == [42])
    started.send_signal(signal.SIGINT)
    assert "the same command goes on" in started.communicate()[1] and started.returncode == 130
    assert cluster.state(42) == "CANCELLED"
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert {row["strategy"] for row in json.loads(ran.stdout)["rows"]} == {"majority"}


@pytest.mark.parametrize("known", [True, False])
def test_a_job_that_ends_without_a_result_is_a_failed_one(known, job, out, cluster, monkeypatch):
    monkeypatch.setenv("SLURM_NODES", "busy")
    monkeypatch.setattr(slurm_engine, "QUIET_SECONDS", 0)
    monkeypatch.setattr(slurm_engine, "LATE_SECONDS", 0.5)

    def end(event):
        (out / "slurm" / job.run_id / "job.log").touch()
        (cluster.folder / "42.state").write_text("COMPLETED")
        if not known:
            (cluster.folder / "42.json").unlink()

    word = "COMPLETED" if known else "unknown to SLURM"
    assert submitted(job, out, end).error == f"SLURM job 42: {word}, and there is no result"


def test_jobs_that_cannot_be_cancelled_are_named(job, out, cluster, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SLURM_NODES", "busy")
    with SlurmEngine() as engine:
        engine.open(out)
        engine.submit(job, print)
        (tmp_path / "bin" / "scancel").unlink()
    told = capsys.readouterr().err
    assert told.startswith("jobs of SLURM may still run (engine: scancel: ")
    assert told.endswith(f"cancel them with: scancel --name={cluster.job(42)['name']}\n")
