"""OpenAI's batch endpoint: what goes there, what comes back, and what happens when it does not."""

import json
import re

import pytest

from stratune.errors import RemoteError
from stratune.remote import batches as batches_module
from stratune.remote.answers import Answers
from stratune.remote.estimate import estimate
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import Server
from stratune.watch import Progress
from tests.remote.conftest import QUICK
from tests.remote.scripted import bodies, prompt_of, send, texts, written

MANY = [f"question {i}" for i in range(60)]


class BatchEndpoint:
    """Files and batches as OpenAI has them. A batch ends at the second look; `spoil` changes its lines."""

    def __init__(self, server, looks=1, status="completed", spoil=lambda lines: lines):
        self.files, self.batches, self.looks, self.status, self.spoil = {}, {}, looks, status, spoil
        self.faults = []  # statuses that the next calls get
        self.seen = []
        server.route = self

    def __call__(self, handler):
        path = handler.path.removeprefix("/v1")
        if not path.startswith(("/files", "/batches")):
            return False
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.seen.append((handler.command, path))
        if self.faults:
            return send(handler, self.faults.pop(0), {"error": {"message": "not now"}})
        if path == "/files":
            assert b"batch" in content and handler.headers["Authorization"] == "Bearer none"
            number = f"file-{len(self.files)}"
            self.files[number] = re.search(rb"\r\n\r\n(\{.*\})\n\r\n", content, re.DOTALL).group(1).decode()
            return send(handler, 200, {"id": number, "object": "file"})
        if path == "/batches":
            asked = json.loads(content)
            assert asked["completion_window"] == "24h"
            number = f"batch-{len(self.batches)}"
            self.batches[number] = {"input": self.files[asked["input_file_id"]], "looks": self.looks, **asked}
            return send(handler, 200, {"id": number, "object": "batch", "status": "validating"})
        if path.startswith("/batches/"):
            return send(handler, 200, self.looked_at(path.rpartition("/")[2]))
        return send(handler, 200, self.files[path.split("/")[2]])

    def looked_at(self, number):
        found = self.batches[number]
        found["looks"] -= 1
        if found["looks"] >= 0:
            return {"id": number, "status": "in_progress"}
        lines = []
        for line in found["input"].splitlines():
            request = json.loads(line)
            assert request["method"] == "POST" and request["url"] == found["endpoint"] == "/v1/completions"
            usage = {"prompt_tokens": 100, "completion_tokens": 10}
            body = written(f"answer to {prompt_of(request['body'])}") | {"usage": usage}
            lines.append(
                {
                    "custom_id": request["custom_id"],
                    "response": {"status_code": 200, "body": body},
                    "error": None,
                }
            )
        self.files[f"out-{number}"] = "\n".join(json.dumps(line) for line in self.spoil(lines)[::-1])
        return {"id": number, "status": self.status, "output_file_id": f"out-{number}"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(batches_module, "POLL_SECONDS", 0.01)


def answers_to(prompts):
    return [f"answer to {prompt}" for prompt in prompts]


def test_many_requests_go_into_one_file_and_come_back_in_their_order(scripted, asking):
    server = scripted()
    endpoint = BatchEndpoint(server)
    asked = asking(server, batches=True)
    assert texts(asked.ask("plain", bodies(*MANY))) == answers_to(MANY)
    assert not server.log, "none was asked directly"
    assert [path for command, path in endpoint.seen if command == "POST"] == ["/files", "/batches"]
    assert texts(asked.ask("plain", bodies(*MANY))) == answers_to(MANY), "and stored"
    assert len(endpoint.batches) == 1


def test_few_requests_and_those_of_who_did_not_ask_for_it_go_directly(scripted, asking):
    server = scripted()
    endpoint = BatchEndpoint(server)
    asking(server, batches=True).ask("plain", bodies(*MANY[:49]))
    asking(server).ask("plain", bodies(*MANY))
    assert not endpoint.seen and len(server.log) == 60


def test_what_a_batch_leaves_open_is_asked_directly(scripted, asking):
    def spoil(lines):
        lines[0]["response"] = {"status_code": 400, "body": {"error": {"message": "no"}}}
        lines[1] = {"custom_id": lines[1]["custom_id"], "response": None, "error": {"code": "batch_expired"}}
        return [*lines[:5], {"custom_id": "of another", "response": lines[6]["response"]}, *lines[6:]]

    server = scripted()
    BatchEndpoint(server, status="expired", spoil=spoil)
    assert texts(asking(server, batches=True).ask("plain", bodies(*MANY))) == answers_to(MANY)
    assert sorted(server.log) == sorted([MANY[0], MANY[1], MANY[5]])


def test_a_batch_that_failed_is_no_answer_and_no_error(scripted, asking):
    server = scripted()
    BatchEndpoint(server, status="failed", spoil=lambda lines: [])
    assert texts(asking(server, batches=True).ask("plain", bodies(*MANY))) == answers_to(MANY)
    assert len(server.log) == 60


def test_a_killed_command_goes_on_with_the_batch_that_it_left(scripted):
    class Killed(BaseException):
        pass

    class Noted(Progress):
        def note(self, text):
            raise Killed

    server = scripted()
    endpoint = BatchEndpoint(server)

    def opened():
        policy = RetryPolicy(**QUICK, batches=True)
        return Server(server.address, policy, Answers(), variable="OPENAI_API_KEY")

    first = opened()
    with pytest.raises(Killed):
        first.ask("plain", bodies(*MANY), Noted())
    first.close()
    second = opened()
    assert texts(second.ask("plain", bodies(*reversed(MANY)))) == answers_to(MANY[::-1])
    assert len(endpoint.batches) == len(endpoint.files) - 1 == 1
    second.close()


def test_passing_faults_are_waited_for(scripted, asking):
    server = scripted()
    endpoint = BatchEndpoint(server, looks=2)
    endpoint.faults = [503, 429]
    asked = asking(server, batches=True)
    assert texts(asked.ask("plain", bodies(*MANY))) == answers_to(MANY)
    assert [path for _, path in endpoint.seen].count("/files") == 3


def test_a_server_without_the_endpoint_says_so(scripted, asking):
    server = scripted()
    endpoint = BatchEndpoint(server)
    endpoint.faults = [404]
    with pytest.raises(RemoteError, match="it has no batch endpoint: leave out remote.batches"):
        asking(server, batches=True).ask("plain", bodies(*MANY))


def test_a_large_file_is_several_batches(scripted, asking, monkeypatch):
    monkeypatch.setattr(batches_module, "MOST", 25)
    server = scripted()
    endpoint = BatchEndpoint(server)
    assert texts(asking(server, batches=True).ask("plain", bodies(*MANY))) == answers_to(MANY)
    counts = [len(one["input"].splitlines()) for one in endpoint.batches.values()]
    assert counts == [25, 25, 10]


def test_a_batch_costs_half(scripted, asking):
    server = scripted()
    BatchEndpoint(server)
    asked, price = asking(server, batches=True), (10.0, 20.0)
    whole = estimate(asking(server), bodies(*MANY), price).cost
    assert estimate(asked, bodies(*MANY), price).cost == pytest.approx(whole / 2)
    asked.ask("plain", bodies(*MANY))
    assert asked.used.total.prompt == 6000
    assert asked.used.cost(price) == pytest.approx(0.5 * (6000 * 10 + 600 * 20) / 1e6)
