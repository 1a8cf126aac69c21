"""Whatever a client sends: an answer or a line that says what is wrong, and never an error of the server."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from stratune.serving.app import create_app
from stratune.serving.limits import Limits
from stratune.serving.served import Served

KEYS = ("text", "texts", "rows", "transcript", "pair", "pairs", "format", "model", "input", "x")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["lora", "calls", "vtt", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
BODIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3).map(json.dumps).map(str.encode)
FRAGMENTS = st.lists(
    st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\u", b"d800", b":", b",", b"text", b'"text"', b"NaN", b"1e999", b"\xff", b"\x00", b"\n", b" "])
    | st.binary(max_size=6),
    max_size=20,
).map(b"".join)  # fmt: skip
PATHS = ("/predict", "/predict.ndjson", "/v1/classify", "/explain")
HEADERS = st.sampled_from(
    [{}, {"content-type": "text/csv"}, {"content-type": "application/json; charset=utf-16"}]
)


@pytest.fixture(scope="module")
def client(folders):
    served = Served.load({name: folders.home / name for name in ("words", "calls", "pairs")})
    with TestClient(create_app(served, Limits(most_rows=8, most_bytes=5000))) as found:
        yield found


def check(found):
    assert found.status_code in (200, 400, 404, 413), found.text
    if found.status_code != 200:
        error = found.json()["error"]
        assert error["code"] == found.status_code and error["message"] and "\n" not in error["message"]


@settings(max_examples=200)
@given(body=BODIES, path=st.sampled_from(PATHS), headers=HEADERS)
def test_any_json(client, body, path, headers):
    check(client.post(path, content=body, headers=headers))


@settings(max_examples=200)
@given(body=FRAGMENTS, path=st.sampled_from(PATHS), headers=HEADERS)
def test_any_bytes(client, body, path, headers):
    check(client.post(path, content=body, headers=headers))


@settings(max_examples=60)
@given(
    text=st.text(max_size=200),
    form=st.sampled_from(["vtt", "srt", "json", "csv", "ttml", "html", "cha", "textgrid", "md"]),
)
def test_any_transcript(client, text, form):
    body = json.dumps({"transcript": text, "format": form, "model": "calls"})
    check(client.post("/predict", content=body))


@settings(max_examples=60)
@given(lines=st.lists(st.dictionaries(st.sampled_from(["text", "id"]), VALUES, max_size=2), max_size=5))
def test_any_lines(client, lines):
    check(client.post("/predict.ndjson", content="\n".join(map(json.dumps, lines)).encode()))
