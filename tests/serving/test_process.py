"""A server as a process: one line when it is ready, refusals under load, and an orderly end."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import stratune
from tests import warm

# A model that takes half a second a batch, behind the sockets and signals of `stratune serve`.
SLOW = """
import sys, time
from stratune.serving.app import create_app
from stratune.serving.limits import Limits
from stratune.serving.process import address_of, bound, run
from stratune.serving.served import Served
from pathlib import Path

served = Served.load({"slow": Path(sys.argv[1])})
predictor = served.models["slow"].predictor
answer = type(predictor).answer
predictor.answer = lambda *given: (time.sleep(0.5), answer(predictor, *given))[1]
app = create_app(served, Limits(queue=4, most_rows=4, batch_rows=1))
with bound("127.0.0.1", 0) as listening:
    run(app, listening, lambda: print(f"ready: {address_of(listening)} answers with slow", flush=True))
"""


def environment():
    home = str(Path(stratune.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": home, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


@contextmanager
def server(*command):
    """(process, port) of a server that is ready; it is killed where a test left it."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment()}
    with subprocess.Popen([sys.executable, *map(str, command)], **pipes) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("ready: "), line + process.stderr.read()
            yield process, int(re.search(r":(\d+) answers", line)[1]), line
        finally:
            process.kill()


def ask(port, body, path="/predict", method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body if isinstance(body, bytes) else json.dumps(body))
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


def in_threads(count, function):
    """Results of `function(k)`, all at once."""
    found = [None] * count

    def one(k):
        found[k] = function(k)

    threads = [threading.Thread(target=one, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    return threads, found


def test_serve_answers_and_ends_with_zero_at_sigterm(folders):
    with server("-m", "stratune", "serve", f"mood={folders.words}", folders.lora, "--port", "0") as found:
        process, port, line = found
        assert "answers with mood, lora" in line and "MiB" in line
        status, _, body = ask(port, {"text": "snow"})
        assert status == 200 and json.loads(body)["prediction"] in ("animal", "weather")
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.1", port + 1 if port < 65535 else 1)).close()
        again = [sys.executable, "-m", "stratune", "serve", folders.words, "--port", str(port)]
        taken = subprocess.run(again, env=environment(), capture_output=True, text=True, timeout=120)
        assert taken.returncode == 2 and taken.stdout == ""
        assert taken.stderr == f"stratune: --port: port {port} of 127.0.0.1 is in use; choose another\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == "" and process.stdout.read() == ""


def test_a_stream_comes_back_in_order_while_it_is_sent(folders):
    """200,000 lines would not fit into what sockets hold: answers come before the last line is sent."""
    count = 3000
    with server("-m", "stratune", "serve", folders.words, "--port", "0") as (process, port, _):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            head = b"POST /predict.ndjson HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head)

            def send(first, last):
                lines = "".join(json.dumps({"id": k, "text": f"cat {k}"}) + "\n" for k in range(first, last))
                connection.sendall(f"{len(lines):x}\r\n{lines}\r\n".encode())

            send(0, count // 2)
            early = b""
            while b'"id": 100,' not in early:
                early += connection.recv(65536)
            send(count // 2, count)
            connection.sendall(b"0\r\n\r\n")
            while not early.endswith(b"0\r\n\r\n"):
                early += connection.recv(65536)
        assert early.startswith(b"HTTP/1.1 200")
        assert [int(k) for k in re.findall(rb'"id": (\d+)', early)] == list(range(count))


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    path = tmp_path_factory.mktemp("slow") / "slow.py"
    path.write_text(SLOW)
    return path


def test_more_than_the_queue_is_refused_with_the_time_to_come_again(folders, slow):
    with server(slow, folders.words) as (_, port, _):
        threads, found = in_threads(12, lambda k: ask(port, {"text": f"cat {k}"}))
        for thread in threads:
            thread.join()
        statuses = sorted(status for status, _, _ in found)
        assert set(statuses) == {200, 429} and statuses.count(200) >= 4
        (refused, *_) = [one for one in found if one[0] == 429]
        assert int(refused[1]["retry-after"]) >= 1
        assert b"rows wait already, of at most 4" in refused[2]


def test_sigterm_answers_who_waits_and_refuses_who_comes(folders, slow):
    with server(slow, folders.words) as (process, port, _):
        threads, found = in_threads(4, lambda k: ask(port, {"text": f"cat {k}"}))
        time.sleep(0.4)  # all wait, one is computed
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        late = ask(port, {"text": "late"})
        assert late[0] == 503 and b"stopping" in late[2]
        assert ask(port, b"", "/healthz", "GET")[0] == 503
        for thread in threads:
            thread.join()
        assert [status for status, _, _ in found] == [200] * 4
        assert process.wait(30) == 0


def test_a_client_that_goes_leaves_the_queue(folders, slow):
    def waiting(port):
        text = ask(port, b"", "/metrics", "GET")[2].decode()
        return float(re.search(r'stratune_queue_rows\{model="slow"\} (\S+)', text)[1])

    with server(slow, folders.words) as (_, port, _):
        body = json.dumps({"texts": ["cat"] * 4}).encode()
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head + body)
            end = time.monotonic() + 10
            while waiting(port) != 3 and time.monotonic() < end:
                time.sleep(0.01)
            assert waiting(port) == 3
        end = time.monotonic() + 10
        time.sleep(0.2)
        while waiting(port) and time.monotonic() < end:
            time.sleep(0.01)
        rows = re.compile(r'stratune_rows_total\{model="slow"\} (\S+)')
        while not (found := rows.search(ask(port, b"", "/metrics", "GET")[2].decode())):
            assert time.monotonic() < end
            time.sleep(0.01)
        assert float(found[1]) == 1  # the row that the model had begun


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "stratune: nowhere: no such folder"),
        (["{words}", "--api-key-env", "NO_SUCH_KEY"], "stratune: --api-key-env: the environment variable NO_SUCH_KEY is not set"),
        (["{words}", "--most-rows", "0"], "stratune: most_rows: 0 is below 1"),
        (["{words}", "--host", "256.1.1.1"], "stratune: --host: '256.1.1.1' is no address"),
        (["{words}", "--all"], "stratune: --all: "),
        (["{words}", "--device", "tpu"], "stratune: device: 'tpu' is not one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_one_line_and_code_2(arguments, message, folders, tmp_path):
    given = [one.format(words=folders.words) for one in arguments]
    command = [warm.python(), "-m", "stratune", "serve", *given]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1


def test_a_missing_library_is_named(folders, tmp_path, monkeypatch):
    from stratune.cli import main

    monkeypatch.setattr("stratune.cli.serve.NEEDED", ("fastapi", "no_such_library"))
    lines = []
    monkeypatch.setattr("builtins.print", lambda line, **_: lines.append(line))
    with pytest.raises(SystemExit, match="2"):
        main(["serve", str(folders.words)])
    assert lines == ["stratune: serve: no_such_library is not installed: pip install 'stratune[serve]'"]


def test_open_to_others_without_a_key_is_told(folders):
    with server("-m", "stratune", "serve", folders.words, "--port", "0", "--host", "0.0.0.0") as (
        process,
        _,
        _,
    ):
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert (
            process.stderr.read()
            == "stratune: 0.0.0.0 is open to others, and no key is asked: --api-key-env\n"
        )
