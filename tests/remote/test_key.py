"""The key: sent to the server, and seen nowhere else."""

import json
import logging

import pytest

from stratune.errors import RemoteError
from tests.remote.scripted import bodies, fails, send, written

CANARY = "sk-canary-7f3a9b2c4d5e"


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{CANARY}\n")  # as a file would give it
    return CANARY


def echo(status):
    return lambda handler: send(
        handler, status, {"error": {"message": f"bad: {handler.headers['Authorization']}"}}
    )


def files_of(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_no_error_repeats_it(scripted, asking, own_cache, key, caplog, status):
    caplog.set_level(logging.DEBUG)
    remote = scripted()
    remote.script("a", *[echo(status)] * 6)
    with pytest.raises(RemoteError) as caught:
        asking(remote).ask("plain", bodies("a"))
    assert remote.keys[0] == f"Bearer {CANARY}"  # it was sent
    assert CANARY not in str(caught.value) and CANARY not in caplog.text
    assert CANARY.encode() not in files_of(own_cache)


def test_an_error_says_that_the_key_is_not_taken(scripted, asking, key):
    remote = scripted()
    remote.script("a", echo(401))
    with pytest.raises(RemoteError) as caught:
        asking(remote).ask("plain", bodies("a"))
    assert str(caught.value) == f"{remote.url}: 401 Unauthorized; it does not take the key in OPENAI_API_KEY"


def test_a_message_is_shortened_after_the_key_is_taken_out(scripted, asking, key):
    remote = scripted()
    remote.script("a", fails(400, "x" * 190 + CANARY))
    with pytest.raises(RemoteError) as caught:
        asking(remote).ask("plain", bodies("a"))
    assert str(caught.value).endswith("x" * 190 + "***")


def test_no_answer_that_repeats_it_is_kept(scripted, asking, own_cache, key):
    remote = scripted(lambda body: written(f"your key is {CANARY}"))
    (answer,) = asking(remote).ask("plain", bodies("a"))
    assert "your key is ***" in json.dumps(answer.response) and CANARY.encode() not in files_of(own_cache)


def test_another_key_finds_the_same_answers(scripted, asking, key, monkeypatch):
    remote = scripted()
    asking(remote).ask("plain", bodies("a"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-one")
    asking(remote).ask("plain", bodies("a"))
    assert len(remote.log) == 1


def test_without_a_key_a_server_of_ones_own_is_asked(scripted, asking):
    remote = scripted()
    asking(remote).ask("plain", bodies("a"))
    assert remote.keys == ["Bearer none"]


@pytest.mark.parametrize("wrong", [f"{CANARY} extra", f"{CANARY}\x07", f"{CANARY}é"])
def test_a_key_that_cannot_be_sent_is_refused_unseen(scripted, asking, monkeypatch, wrong):
    monkeypatch.setenv("OPENAI_API_KEY", wrong)
    with pytest.raises(RemoteError) as caught:
        asking(scripted()).ask("plain", bodies("a"))
    assert str(caught.value) == "OPENAI_API_KEY holds a character that no key has"
