"""Processes that are killed or interrupted, and started again."""

import signal
import subprocess
import sys
import time

from stratune.remote.answers import Answers
from tests.remote.scripted import bodies, hold, texts

PROMPTS = [f"prompt {i}" for i in range(30)]
ASKER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what a shell runs in the background
from stratune.errors import StratuneError
from stratune.remote.address import Address
from stratune.remote.answers import Answers
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import Server
from tests.remote.scripted import bodies
server = Server(Address(sys.argv[1], "tiny"), RetryPolicy(workers=2), Answers(), variable="OPENAI_API_KEY")
print("ready", flush=True)
try:
    server.ask("plain", bodies(*sys.argv[2:]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def start(remote, prompts=PROMPTS):
    command = [sys.executable, "-c", ASKER, remote.url, *prompts]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def stuck(remote, at=10):
    """A process that has had `at` answers and waits for two more."""
    for prompt in PROMPTS[at : at + 2]:
        remote.script(prompt, hold)
    process = start(remote)
    until(lambda: len(remote.log) == at + 2)
    return process


def test_a_killed_run_asks_only_the_rest_again(scripted, asking):
    remote = scripted()
    process = stuck(remote)
    process.kill()
    process.communicate()
    remote.held.set()
    under_way, answered = remote.log[10:], remote.log[:10]
    assert sorted(answered) == sorted(PROMPTS[:10])
    answers = asking(remote).ask("plain", bodies(*PROMPTS))
    assert texts(answers) == [f"answer to {prompt}" for prompt in PROMPTS]
    assert sorted(remote.log[12:]) == sorted([*under_way, *PROMPTS[12:]])
    asking(remote).ask("plain", bodies(*PROMPTS))
    assert len(remote.log) == 32


def test_an_interrupted_run_ends_at_once_and_keeps_what_it_has(scripted):
    remote = scripted()
    process = stuck(remote)
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130 and time.monotonic() - before < 2
    assert len(Answers()) == 10


def test_two_runs_at_once_share_answers(scripted):
    remote = scripted()
    both = [start(remote) for _ in range(2)]
    assert [process.communicate() and process.returncode for process in both] == [0, 0]
    assert len(Answers()) == 30 and 30 <= len(remote.log) <= 60
