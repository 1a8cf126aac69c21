"""Servers that stop when the test ends, and clients that know no key and no proxy but the test's own."""

import pytest

from stratune.remote.answers import Answers
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import Server
from tests.remote.scripted import Scripted

QUICK = {"pause": 0.01, "timeout": 5.0}


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "STRATUNE_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def scripted():
    """`scripted(say)` is a running server."""
    running = []

    def start(say=None):
        running.append(Scripted(say))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def asking():
    """`asking(scripted)` is a Server that asks it, with the answers of this test's cache folder."""
    opened = []

    def connect(scripted, **retry_policy):
        server = Server(
            scripted.address, RetryPolicy(**{**QUICK, **retry_policy}), Answers(), variable="OPENAI_API_KEY"
        )
        opened.append(server)
        return server

    yield connect
    for server in opened:
        server.close()
        server.answers.close()
