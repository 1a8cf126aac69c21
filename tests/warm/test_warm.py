"""The warm process: what it starts is a process as any other."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests import warm


def ran(*arguments, python=None, **changes):
    command = [python or warm.python(), "-m", "stratune", *arguments]
    environment = {**warm.STARTED_WITH, **changes}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "arguments", [("--version",), ("list", "metrics"), ("list", "nothing"), ("show", "/no")]
)
def test_a_command_ends_and_prints_as_in_a_new_process(arguments):
    new, warmed = ran(*arguments, python=sys.executable), ran(*arguments)
    assert (warmed.returncode, warmed.stdout, warmed.stderr) == (new.returncode, new.stdout, new.stderr)


@pytest.fixture
def zygote():
    """One that waits for orders."""
    started = subprocess.Popen(
        [warm.python(), "-m", "stratune.engine.zygote"], env=warm.STARTED_WITH, stdin=subprocess.PIPE
    )
    yield started
    started.stdin.close()
    started.wait()


def test_a_signal_reaches_it_and_its_end_is_told(zygote):
    time.sleep(0.5)
    zygote.send_signal(signal.SIGTERM)
    assert zygote.wait(timeout=60) == -signal.SIGTERM


def test_what_stands_in_for_it_is_killed_and_so_is_it():
    there, here = os.pipe()
    command = [warm.python(), "-m", "stratune.engine.zygote"]
    started = subprocess.Popen(command, env=warm.STARTED_WITH, stdin=subprocess.PIPE, stdout=here)
    os.close(here)
    started.kill()
    started.wait()
    assert os.read(there, 1) == b""  # closed by all who had it, though nobody ended its orders
    started.stdin.close()
    os.close(there)
    assert ran("--version").returncode == 0  # and the next is answered


def test_another_environment_has_a_python_of_its_own():
    code = "import os, sys; print(sys.executable, os.environ['OMP_NUM_THREADS'])"
    told = subprocess.run(
        [warm.python(), "-c", code],
        env={**warm.STARTED_WITH, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
    )
    assert told.stdout.split() == [sys.executable, "2"]
