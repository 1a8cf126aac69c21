"""push: a stand-in of the hub on loopback, asked by the real client."""

import base64
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stratune.report.cards import REPO

TOKEN = "hf_" + "x" * 34


class Hub(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append((self.path, self.headers.get("authorization"), body))
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.say(401, {"error": "Invalid username or password."})
        if self.path == "/api/repos/create":
            return self.say(200, {"url": f"{self.server.url}/me/mine", "name": "me/mine"})
        if self.path == "/api/validate-yaml":
            return self.say(200, {"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]
            ]
            return self.say(200, {"files": files})
        if "/commit/" in self.path:
            return self.say(200, {"commitUrl": f"{self.server.url}/me/mine/commit/1", "commitOid": "1" * 40})
        return self.say(404, {"error": self.path})

    def do_GET(self):
        self.say(200, {"sha": "0" * 40, "id": "me/mine", "siblings": [], "tags": []})

    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked, server.url = [], f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def model(tmp_path):
    """An export for transformers, as its names say; what is half-written in it stays here."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("---\nlibrary_name: stratune\n---\n# mine\n")
    (folder / ".half-written").write_text("x")
    return folder


def push(*arguments, url, token=TOKEN, **more):
    environment = {**os.environ, "HF_ENDPOINT": url, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", **more}
    environment.pop("HF_TOKEN", None)
    if token:
        environment["HF_TOKEN"] = token
    command = [sys.executable, "-m", "stratune", "push", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_the_files_are_committed_with_the_card(hub, model, tmp_path):
    done = push(
        model, "me/mine", "--private", "--message", "the first", url=hub.url, HF_HOME=str(tmp_path / "home")
    )
    assert (done.returncode, done.stdout) == (0, f"{hub.url}/me/mine\n"), done.stderr
    made = json.loads(next(body for path, _, body in hub.asked if path == "/api/repos/create"))
    assert made["name"] == "mine" and made["organization"] == "me" and made["visibility"] == "private"
    (body,) = (body for path, _, body in hub.asked if "/commit/" in path)
    header, *files = [json.loads(line) for line in body.splitlines()]
    assert header["value"]["summary"] == "the first"
    sent = {one["value"]["path"]: base64.b64decode(one["value"]["content"]) for one in files}
    assert sent == {"config.json": b"{}", "README.md": (model / "README.md").read_bytes()}


def test_a_token_that_is_wrong_is_one_line_without_the_token(hub, model, tmp_path):
    done = push(model, "me/mine", url=hub.url, token="hf_wrong", HF_HOME=str(tmp_path / "home"))
    assert done.returncode == 2 and done.stderr.count("\n") <= 2 and "401" in done.stderr
    assert done.stderr.startswith(f"stratune: {hub.url}: me/mine: ") and "hf_wrong" not in done.stderr


def test_without_a_network_it_says_so(model, tmp_path):
    done = push(model, "me/mine", url="http://127.0.0.1:9", HF_HOME=str(tmp_path / "home"))
    assert done.returncode == 2 and done.stderr.startswith("stratune: http://127.0.0.1:9: me/mine: ")
    assert "Traceback" not in done.stderr


def test_what_is_no_model_or_no_repository_is_not_sent(hub, model, tmp_path):
    for arguments in ((tmp_path, "me/mine"), (model, "mine"), (model, "me/../mine")):
        done = push(*arguments, url=hub.url)
        assert done.returncode == 2 and done.stderr.startswith("stratune: ") and done.stderr.count("\n") <= 2
    assert hub.asked == []


@pytest.mark.parametrize(
    "name", ["mine", "me/", "/mine", "me/../x", "me/a b", "https://x/y", "me/mine/more", ".me/x"]
)
def test_names_that_are_no_repository(name):
    assert REPO.fullmatch(name) is None
