"""A real server: llama-cpp-python's, with the embedded model. `make test-server` builds and runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import torch

from stratune.backbone.embedded import embedded_path
from stratune.backbone.load import load_backbone
from stratune.errors import RemoteError
from stratune.remote.address import parse_address
from stratune.remote.answers import Answers
from stratune.remote.request import Request
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import Server
from stratune.remote.verbalizer import RemoteVerbalizer
from stratune.remote.writing import Wanted, generate
from tests.remote.scripted import rows_of

pytestmark = pytest.mark.server

PYTHON = "STRATUNE_SERVER_PYTHON"  # where llama-cpp-python is installed; not in stratune's own environment
KEY = "llama-test-key"
WORDS = {"fresh": ["positive"], "rotten": ["negative"]}
REVIEWS = [
    "A delight from the first minute to the last; I loved it.",
    "Dull, long and badly acted. I hated every scene.",
    "A warm, funny and wonderful film.",
    "The worst film of the year, a boring mess.",
]
# The server's activations are 8 bits wide, the local ones 32. Over the 20 likeliest tokens of ten prompts the
# log-probabilities differed by -0.02 in the mean, 0.13 in standard deviation, 0.42 at most.
QUANTISED = 0.5


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """(address, access log) of a running server."""
    if PYTHON not in os.environ:
        pytest.skip("`make test-server` builds the server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("llama") / "server.log"
    command = [os.environ[PYTHON], "-m", "llama_cpp.server", "--model", str(embedded_path("smollm2"))]
    options = {
        "host": "127.0.0.1",
        "port": port,
        "model_alias": "smollm2",
        "n_ctx": 512,
        "logits_all": "true",
    }
    options.update(api_key=KEY, seed=1, verbose="false", n_threads=1, n_threads_batch=1)
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        wait_for(port, process, log)
        yield parse_address(f"http://127.0.0.1:{port}/v1#smollm2"), log
        process.terminate()
        process.wait()


def wait_for(port, process, log):
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/docs", timeout=5).close()
        except urllib.error.URLError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text())


@pytest.fixture
def server(llama, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    opened = Server(
        llama[0], RetryPolicy(workers=4, pause=0.05, timeout=120), Answers(), variable="OPENAI_API_KEY"
    )
    yield opened
    opened.close()
    opened.answers.close()


def posts(log, settle=1.0):
    """Requests in the access log, once nothing has been added to it for a while."""
    found = None
    while found != (found := log.read_text().count('"POST /v1/')):
        time.sleep(settle)
    return found


def plain(reviews=REVIEWS):
    """With demonstrations: without them neither word is among the 20 likeliest tokens in some rows."""
    shown = "Review: I loved it.\nSentiment: positive\n\nReview: I hated it.\nSentiment: negative\n\n"
    return [Request(text=f"{shown}Review: {review}\nSentiment:") for review in reviews]


def chat(reviews=REVIEWS):
    asked = "Is this review positive or negative? Answer with one word.\n\n"
    return [Request(messages=(("user", asked + review),)) for review in reviews]


def test_log_probabilities_are_those_of_the_model(server):
    backbone = load_backbone("smollm2", language_model=True)
    ids = backbone.tokenizer([request.text for request in plain()], padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = backbone.language_model.eval()(**ids).logits
    last = ids["attention_mask"].sum(dim=1) - 1
    local = logits[torch.arange(len(last)), last].log_softmax(dim=-1)
    first = [
        backbone.tokenizer(f" {word}", add_special_tokens=False)["input_ids"][0]
        for word in ("positive", "negative")
    ]

    words = RemoteVerbalizer(server, WORDS)
    found = words.log_probs(rows_of(plain()))
    rows = found.log_probs
    assert words.way == "logprobs" and not found.invalid.any() and (found.mass > 0.5).all()
    # Its `echo` gives each token of the prompt the probability of the next one.
    assert "they are not those of its next tokens" in words.in_words()
    np.testing.assert_allclose(rows, local[:, first].numpy(), atol=QUANTISED, rtol=0)
    assert rows.argmax(axis=1).tolist() == [0, 1, 0, 1]  # as the reviews are meant


def test_a_chat_has_log_probabilities_too(server):
    words = RemoteVerbalizer(server, {"fresh": ["Positive"], "rotten": ["Negative"]})
    found = words.log_probs(rows_of(chat()))
    rows, invalid = found.log_probs, found.invalid
    assert words.way in ("logprobs", "constrained") and np.isfinite(rows[~invalid]).all()


@pytest.mark.parametrize("ask", [plain, chat])
def test_answers_can_be_constrained(server, ask):
    words = RemoteVerbalizer(server, WORDS, way="constrained")
    found = words.log_probs(rows_of(ask()))
    rows, invalid = found.log_probs, found.invalid
    assert not invalid.any() and (rows.max(axis=1) == 0).all() and ((rows == 0).sum(axis=1) == 1).all()


@pytest.mark.parametrize("ask", [plain, chat])
def test_it_writes(server, ask):
    texts = generate(server, rows_of(ask()), Wanted(6, 0.0, 0)).texts
    assert len(texts) == 4 and all(text.strip() for text in texts)


def test_its_refusals_are_told_in_its_words(server, monkeypatch):
    (why,) = generate(server, rows_of(plain(["word " * 600])), Wanted(4, 0.0, 0)).why
    assert why.startswith(
        "too long: 400 Bad Request: This model's maximum context length is 512 tokens, however"
    )
    monkeypatch.setenv("OPENAI_API_KEY", "another-key")
    other = Server(server.address, server.retry_policy, server.answers, variable="OPENAI_API_KEY")
    with pytest.raises(RemoteError) as caught:
        generate(other, rows_of(plain(["unasked"])), Wanted(4, 0.0, 0))
    assert (
        str(caught.value)
        == f"{server.address.url}: 401 Unauthorized; it does not take the key in OPENAI_API_KEY"
    )
    other.close()


ASKER = """
import sys
from stratune.remote.address import parse_address
from stratune.remote.answers import Answers
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import Server
from stratune.remote.verbalizer import RemoteVerbalizer
from tests.helpers import Callbacks
from tests.remote.scripted import rows_of
from tests.remote.test_llama_server import WORDS, plain
server = Server(parse_address(sys.argv[1]), RetryPolicy(workers=2, timeout=120), Answers(), variable="OPENAI_API_KEY")
told = Callbacks(rows=lambda count: print(count, flush=True))
asked = rows_of(plain([f"Film {i} was fine." for i in range(40)]))
RemoteVerbalizer(server, WORDS, way="constrained").log_probs(asked, told)
"""


def test_a_killed_run_that_is_started_again_asks_each_prompt_once(server, llama):
    """Once, but for the requests under way when it was killed: theirs were answers that nobody got."""
    address, log = llama
    command = [sys.executable, "-c", ASKER, f"{address.url}#{address.model}"]
    before = posts(log)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(10):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed, kept = posts(log) - before, len(server.answers)
    assert 9 <= kept < 40 and killed - kept <= 2
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert posts(log) - before == killed + 40 - kept and len(server.answers) == 40
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert posts(log) - before == killed + 40 - kept
