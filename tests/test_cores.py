"""Threads are as many as the cores that this process may use, in a container, too."""

import os
import subprocess
import sys

import pytest

from stratune import cores

SAID = "import stratune, os; print(os.environ.get('OMP_NUM_THREADS'), os.environ.get('RAYON_NUM_THREADS'))"


@pytest.fixture
def groups(tmp_path, monkeypatch):
    monkeypatch.setattr(cores, "CGROUP", tmp_path)
    monkeypatch.setattr(cores, "OWN", tmp_path / "own")
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    return tmp_path


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("max 100000", 64),
        ("200000 100000", 2),
        ("250000 100000", 2),
        ("50000 100000", 1),
        ("", 64),
        ("x y", 64),
    ],
)
def test_the_limit_of_a_container(said, expected, groups):
    write(groups, cpu__max=said)
    assert cores.usable_cores() == expected


def test_the_lowest_limit_of_the_groups_around_it(groups):
    (groups / "own").write_text("0::/a.slice/b.scope\n")
    write(groups / "a.slice", cpu__max="300000 100000")
    write(groups / "a.slice" / "b.scope", cpu__max="800000 100000")
    assert cores.usable_cores() == 3


def test_version_one(groups):
    (groups / "own").write_text("4:cpu,cpuacct:/docker/1\n2:memory:/docker/1\n")
    write(groups / "cpu" / "docker" / "1", cpu__cfs_quota_us="400000", cpu__cfs_period_us="100000")
    write(groups / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert cores.usable_cores() == 4


def test_without_groups_it_is_the_machines(groups):
    assert cores.usable_cores() == 64


def said(environment, **how):
    plain = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    run = [sys.executable, "-c", SAID]
    done = subprocess.run(
        run, env={**plain, **environment}, capture_output=True, text=True, check=True, **how
    )
    return done.stdout.split()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_threads_are_no_more_than_cores_unless_the_user_says_so():
    one = next(iter(os.sched_getaffinity(0)))
    bound = {"preexec_fn": lambda: os.sched_setaffinity(0, {one})}
    assert said({}, **bound) == (["1", "1"] if os.cpu_count() > 1 else ["None", "None"])
    assert said({"OMP_NUM_THREADS": "3"}, **bound)[0] == "3"
