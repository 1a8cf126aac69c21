"""Asking: everything once, in order, through what servers and networks do."""

import subprocess
import sys
import time
from email.utils import formatdate

import pytest

from stratune.errors import ConfigError, RemoteError
from stratune.remote.address import Address
from stratune.remote.answers import Answers
from stratune.remote.client import _retry_after
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.row_fault import Answer
from stratune.remote.server import Server
from tests.helpers import Callbacks
from tests.remote.scripted import answers, bodies, cut, fails, hold, prompt_of, says, slow, texts, written

PROMPTS = [f"prompt {i}" for i in range(40)]


def raised(server, *prompts):
    with pytest.raises(RemoteError) as caught:
        server.ask("plain", bodies(*prompts))
    return str(caught.value)


def test_answers_come_in_order_from_many_at_once(scripted, asking):
    remote = scripted(lambda body: time.sleep(0.01 * (hash(prompt_of(body)) % 4)) or written(prompt_of(body)))
    assert texts(asking(remote, workers=6).ask("plain", bodies(*PROMPTS))) == PROMPTS
    assert 1 < remote.most <= 6


def test_no_prompt_is_asked_twice_in_one_call_or_after_a_restart(scripted, asking):
    remote, ticks = scripted(), []
    asked = bodies("a", "b", "a", "c", "a")
    first = asking(remote).ask("plain", asked, Callbacks(rows=ticks.append))
    assert sorted(remote.log) == ["a", "b", "c"] and sum(ticks) == 5
    again = Server(remote.address, RetryPolicy(), Answers(), variable="OPENAI_API_KEY").ask(
        "plain", asked, Callbacks(rows=ticks.append)
    )
    assert again == first and len(remote.log) == 3 and sum(ticks) == 10


def test_what_is_known_needs_no_server(scripted, asking):
    remote = scripted()
    first = asking(remote).ask("plain", bodies("a"))
    remote.close()
    assert asking(remote).ask("plain", bodies("a")) == first


def test_chat_and_plain_text_have_answers_of_their_own(scripted, asking):
    remote = scripted()
    server = asking(remote)
    chat = {"model": "tiny", "messages": [{"role": "user", "content": "a"}]}
    assert server.ask("chat", [chat])[0].response["choices"][0]["message"]["content"] == "answer to a"
    server.ask("plain", bodies("a"))
    assert remote.log == ["a", "a"]


@pytest.mark.parametrize(
    "fault",
    [fails(500), fails(408), fails(409), fails(425), fails(429), fails(503), cut, says("<html>"), says("{}"),
     says('{"choices": []}'), says('{"error": {"message": "upstream"}}'), says("[1]")],
    ids=["500", "408", "409", "425", "429", "503", "cut", "html", "empty", "no-choice", "error", "list"],
)  # fmt: skip
def test_what_passes_is_tried_again(scripted, asking, fault):
    remote = scripted()
    remote.script("a", fault, fault)
    assert texts(asking(remote).ask("plain", bodies("a", "b"))) == ["answer to a", "answer to b"]
    assert remote.asked("a") == 3 and remote.asked("b") == 1


def test_no_answer_in_time_is_tried_again(scripted, asking):
    remote = scripted()
    remote.script("a", slow(1.5))
    assert texts(asking(remote, timeout=0.3).ask("plain", bodies("a"))) == ["answer to a"]
    assert remote.asked("a") == 2


def test_retry_after_holds_back_everybody(scripted, asking):
    remote = scripted()
    remote.script("a", fails(429, Retry_After="0.3"))
    asking(remote, workers=1).ask("plain", bodies("a", "b", "c"))
    assert remote.log == ["a", "a", "b", "c"] and remote.times[1] - remote.times[0] >= 0.3


@pytest.mark.parametrize(("given", "seconds"), [("7", 7), ("0.5", 0.5), ("-3", 0), ("soon", 0)])
def test_retry_after_is_seconds(given, seconds):
    assert _retry_after({"retry-after": given}) == seconds


def test_retry_after_is_a_date():
    assert 300 <= _retry_after({"retry-after": formatdate(time.time() + 600)}) <= 600


def test_a_wait_that_nobody_would_sit_out_is_an_error(scripted, asking):
    remote = scripted()
    remote.script("a", fails(429, "slow down", Retry_After="3600"))
    assert raised(asking(remote), "a") == (
        f"{remote.url}: 429 Too Many Requests: slow down; it asks to wait 3600 seconds; run this again then"
    )


def test_starts_are_spaced(scripted, asking):
    remote = scripted()
    asking(remote, per_minute=1200, workers=8).ask("plain", bodies(*PROMPTS[:8]))
    gaps = [after - before for before, after in zip(remote.times, remote.times[1:], strict=False)]
    assert remote.times[-1] - remote.times[0] >= 7 * 0.05 * 0.9 and max(gaps) < 0.5


def test_attempts_end(scripted, asking):
    remote = scripted()
    remote.script("a", *[fails(503, "loading\n the model")] * 9)
    assert raised(asking(remote, attempts=3), "a") == (
        f"{remote.url}: 503 Service Unavailable: loading the model; gave up after 3 attempts"
    )
    assert remote.asked("a") == 3
    remote.script("b", *[cut] * 2)
    assert raised(asking(remote, attempts=2), "b") == (
        f"{remote.url}: the connection was cut; gave up after 2 attempts"
    )
    remote.script("c", *[says("<html>Bad\ngateway</html>")] * 2)
    assert raised(asking(remote, attempts=2), "c") == (
        f"{remote.url}: the answer is not JSON: '<html>Bad gateway</html>'; gave up after 2 attempts"
    )
    remote.script("d", *[says('{"object": "error"}')] * 2)
    assert raised(asking(remote, attempts=2), "d") == (
        f'{remote.url}: the answer has no `choices`: \'{{"object": "error"}}\'; gave up after 2 attempts'
    )
    remote.script("e", *[slow(1.0)] * 2)
    assert raised(asking(remote, attempts=2, timeout=0.2), "e") == (
        f"{remote.url}: no answer within 0.2 seconds; gave up after 2 attempts"
    )


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (fails(401, "who are you?"), "401 Unauthorized; set OPENAI_API_KEY"),
        (fails(403, "not you"), "403 Forbidden: not you; set OPENAI_API_KEY"),
        (fails(403, "your key sk-1234 may not"), "403 Forbidden; set OPENAI_API_KEY"),
        (fails(405, "x" * 300), "405 Method Not Allowed: " + "x" * 200 + "…"),
        (fails(404, "no such path"), "404 Not Found: no such path"),
        (answers(400, {"detail": "no such field"}), "400 Bad Request: no such field"),
        (answers(400, {"error": "no such field"}), "400 Bad Request: no such field"),
        (answers(400, "no such\nfield"), "400 Bad Request: no such field"),
        (answers(400, {"detail": [{"loc": 1}]}), '400 Bad Request: [{"loc": 1}]'),
        (answers(400, ""), "400 Bad Request"),
    ],
    ids=["401", "403", "403-key", "long", "404", "detail", "bare", "text", "list", "empty"],
)  # fmt: skip
def test_what_does_not_pass_is_said_at_once(scripted, asking, fault, message):
    remote = scripted()
    remote.script("a", fault)
    assert raised(asking(remote), "a") == f"{remote.url}: {message}"
    assert remote.asked("a") == 1


def test_an_unknown_model_is_told_from_an_unknown_address(scripted, asking):
    remote = scripted()
    remote.models = ["tinny", "large"]
    remote.script("a", *[fails(404, "no model 'tiny'")] * 2)
    assert raised(asking(remote), "a") == (
        f"{remote.url}: 404 Not Found: no model 'tiny'; "
        "model 'tiny' is not one of tinny, large (did you mean 'tinny'?)"
    )
    remote.models = [f"model-{i}" for i in range(300)]
    assert len(raised(asking(remote), "a")) < 400
    remote.models = []
    remote.script("a", fails(404, "Not Found"))
    assert raised(asking(remote), "a") == (
        f"{remote.url}: 404 Not Found: Not Found; an address usually ends in /v1"
    )


def test_a_spent_account_is_not_asked_again(scripted, asking):
    remote = scripted()
    remote.script("a", answers(429, {"error": {"message": "no credit left", "code": "insufficient_quota"}}))
    assert raised(asking(remote), "a") == f"{remote.url}: 429 Too Many Requests: no credit left"
    assert remote.asked("a") == 1


def test_nobody_there_is_said_at_once(scripted, asking):
    remote = scripted()
    remote.close()
    start = time.monotonic()
    message = raised(asking(remote, pause=5), "a")
    assert message == f"{remote.url}: no server can be reached: [Errno 111] Connection refused"
    assert time.monotonic() - start < 4


def test_an_error_in_the_middle_stops_the_rest_and_loses_nothing(scripted, asking):
    remote = scripted()
    remote.script("prompt 10", fails(402, "pay first"))
    server = asking(remote, workers=2)
    assert raised(server, *PROMPTS) == f"{remote.url}: 402 Payment Required: pay first"
    before = len(remote.log)
    assert before <= 13  # those two under way, not the rest
    assert texts(server.ask("plain", bodies(*PROMPTS))) == [f"answer to {prompt}" for prompt in PROMPTS]
    assert sorted(remote.log) == sorted([*PROMPTS, "prompt 10"])


def test_an_answer_under_way_when_another_fails_is_kept(scripted, asking):
    remote = scripted()
    remote.script("a", slow(0.4))
    remote.script("b", slow(0.1, fails(402)))
    server = asking(remote, workers=2)
    raised(server, "a", "b")
    assert server.answers.get(server.key("plain", bodies("a")[0])) is not None


def test_an_error_does_not_wait_for_a_server_that_hangs(scripted, asking, monkeypatch):
    monkeypatch.setattr("stratune.remote.pool.GRACE", 0.2)
    remote = scripted()
    remote.script("a", hold)
    remote.script("b", fails(402))
    start = time.monotonic()
    raised(asking(remote, workers=2, timeout=60), "a", "b")
    assert time.monotonic() - start < 2


def test_a_probe_takes_a_refusal_for_an_answer(scripted, asking):
    remote = scripted()
    (body,) = bodies("a")
    remote.script("a", fails(400), fails(500), fails(500), lambda _: None, fails(500), fails(503))
    server = asking(remote)
    assert server.probe("plain", body) is None  # 400
    assert server.probe("plain", body) is None  # 500, twice, and an answer without the fields in question
    assert texts([Answer(server.probe("plain", body))]) == ["answer to a"]  # 500 and 503 once
    assert server.probe("plain", body) == server.ask("plain", [body])[0].response and remote.asked("a") == 7
    remote.script("b", fails(401))
    with pytest.raises(RemoteError, match="401 Unauthorized; set OPENAI_API_KEY"):
        server.probe("plain", bodies("b")[0])


def test_models_are_those_the_server_lists(scripted, asking):
    remote = scripted()
    remote.models = ["a", "b"]
    assert asking(remote).models() == ["a", "b"]


def test_a_retry_policy_that_makes_no_sense_is_refused():
    with pytest.raises(ConfigError, match="workers: 0 is not above 0"):
        RetryPolicy(workers=0)


def test_nothing_is_imported_or_opened_before_the_first_question(tmp_path):
    path = tmp_path / "answers.sqlite"
    Server(Address("http://127.0.0.1:9/v1", "tiny"), RetryPolicy(), Answers(path), variable="OPENAI_API_KEY")
    assert not path.exists()
    code = "import sys, stratune.remote.verbalizer; assert 'openai' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_missing_package_is_named(scripted, asking, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    remote = scripted()
    assert raised(asking(remote), "a") == (
        "asking a server needs one more package: pip install 'stratune[remote]'"
    )
