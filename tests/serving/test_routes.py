"""Routes and refusals of a server, in this process: answers are those of `stratune predict`."""

import json
import re

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from stratune.cli import app as command
from stratune.errors import ConfigError
from stratune.serving.app import create_app
from stratune.serving.keys import ApiKey, key_from
from stratune.serving.limits import Limits
from stratune.serving.served import Served

TEXTS = ["the cat saw rain", "we heard the choir and the piano", "snow", "they talked about the horse again"]
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Ann>the cat saw rain\n\n00:00:01.000 --> 00:00:02.000\n<v Bob>snow\n"


@pytest.fixture(scope="module")
def served(folders):
    names = ("lora", "words", "pairs", "values", "calls")
    return Served.load({name: folders.home / name for name in names}, device="cpu")


@pytest.fixture(scope="module")
def client(served):
    with TestClient(create_app(served, Limits(most_bytes=20_000, most_rows=50, exact=True))) as found:
        yield found


def predicted(folder, *texts):
    done = CliRunner().invoke(command, ["predict", str(folder), *texts, "--json"])
    assert done.exit_code == 0, done.exception
    return json.loads(done.stdout)


def ask(client, body, path="/predict", **options):
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return client.post(path, content=content, **options)


@pytest.mark.parametrize("name", ["lora", "words", "values"])
def test_a_text_has_the_answer_of_predict_to_the_digit(name, client, folders):
    for text in TEXTS:
        found = ask(client, {"text": text, "model": name})
        assert found.status_code == 200 and found.json() == predicted(folders.home / name, text)


def test_a_pair_has_the_answer_of_predict(client, folders):
    found = ask(client, {"text": "the cat", "pair": "the rain", "model": "pairs"})
    assert found.json() == predicted(folders.pairs, "the cat", "the rain")
    both = ask(client, {"texts": ["the cat"], "pairs": ["the rain"], "model": "pairs"})
    assert both.json()["answers"] == [found.json()]
    rows = ask(client, {"rows": [{"text": "the cat", "text_pair": "the rain"}], "model": "pairs"})
    assert rows.json()["answers"] == [found.json()]


def test_the_first_model_answers_where_none_is_named(client):
    assert ask(client, {"texts": TEXTS}).json() == ask(client, {"texts": TEXTS, "model": "lora"}).json()


def test_texts_rows_and_lines_have_the_answers_of_a_file(client, folders, tmp_path):
    lines = "".join(json.dumps({"id": k, "text": text, "é": None}) + "\n" for k, text in enumerate(TEXTS))
    (tmp_path / "new.jsonl").write_text(lines)
    arguments = [
        "predict",
        str(folders.lora),
        str(tmp_path / "new.jsonl"),
        "-o",
        str(tmp_path / "out.jsonl"),
        "-q",
    ]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    wanted = (tmp_path / "out.jsonl").read_text()
    streamed = ask(client, lines, "/predict.ndjson")
    assert streamed.text == wanted and streamed.headers["content-type"] == "application/x-ndjson"
    texts = ask(client, {"texts": TEXTS}).json()
    rows = ask(client, {"rows": [{"text": text, "more": 1} for text in TEXTS]}).json()
    assert texts == rows and texts["model"] == "lora"
    for line, answer in zip(map(json.loads, wanted.splitlines()), texts["answers"], strict=True):
        assert answer["prediction"] == line["prediction"]
        assert answer["scores"] == {label: line[f"score_{label}"] for label in answer["scores"]}


def test_a_missing_cell_is_an_empty_text_as_in_a_file(client):
    found = ask(client, {"rows": [{"text": None}]}).json()
    assert found["answers"] == ask(client, {"texts": [""]}).json()["answers"]


def test_a_transcript_is_read_as_in_training(client, loaded, tmp_path):
    (tmp_path / "transcript.vtt").write_text(VTT)
    calls = loaded("calls")
    rows = calls.read(tmp_path / "transcript.vtt")
    found = ask(client, {"transcript": VTT, "format": "vtt", "model": "calls"})
    (answer,) = found.json()["answers"]
    (wanted,) = calls.predict([row["text"] for row in rows])
    assert answer["prediction"] == wanted.label and answer["document"] == "transcript"
    assert answer["scores"] == {label: round(score, 6) for label, score in wanted.scores.items()}


def test_vllms_classify(client):
    found = ask(client, {"model": "lora", "input": TEXTS}, "/v1/classify").json()
    answers = ask(client, {"texts": TEXTS}).json()["answers"]
    assert (
        found["object"] == "list" and found["model"] == "lora" and re.fullmatch(r"classify-\w+", found["id"])
    )
    assert found["data"] == [
        {"index": k, "label": one["prediction"], "probs": list(one["scores"].values()), "num_classes": 2}
        for k, one in enumerate(answers)
    ]
    (single,) = ask(client, {"input": TEXTS[0]}, "/v1/classify").json()["data"]
    alone = ask(client, {"text": TEXTS[0]}).json()
    assert single["label"] == alone["prediction"] and single["probs"] == list(alone["scores"].values())


def test_what_is_served_and_what_is_counted(client):
    listed = {one["id"]: one for one in client.get("/v1/models").json()["data"]}
    assert list(listed) == ["lora", "words", "pairs", "values", "calls"]
    assert listed["lora"]["labels"] == ["animal", "weather"] and listed["lora"]["strategy"] == "lora"
    assert listed["pairs"]["pairs"] and listed["pairs"]["columns"] == ["text", "text_pair"]
    assert listed["calls"]["transcripts"] and listed["values"]["labels"] == []
    assert "/" not in listed["lora"]["backbone"]
    assert client.get("/healthz").json() == {"status": "ready"}

    def counted(name):
        (line,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
        return float(line.split()[-1])

    before = (
        counted('stratune_rows_total{model="words"}'),
        counted('stratune_batch_rows_count{model="words"}'),
    )
    ask(client, {"texts": TEXTS, "model": "words"})
    assert counted('stratune_rows_total{model="words"}') == before[0] + len(TEXTS)
    assert counted('stratune_batch_rows_count{model="words"}') == before[1] + 1
    assert counted('stratune_queue_rows{model="words"}') == 0
    ask(client, "{")
    assert counted('stratune_requests_total{code="400",route="/predict"}') >= 1
    client.get("/no/such/secret-name")
    assert "secret-name" not in client.get("/metrics").text


def test_the_page_says_how_to_ask_and_loads_nothing(client):
    page = client.get("/docs").text
    assert "POST /predict.ndjson" in page and "POST /v1/classify" in page
    assert not re.search(r"<script|<link|<img|src=|https?://", page)
    schema = client.get("/openapi.json").json()
    assert schema["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "oneOf"
    ]
    assert "429" in schema["paths"]["/predict"]["post"]["responses"]


def test_no_other_site_may_read_answers(client):
    found = ask(client, {"text": "snow"}, headers={"Origin": "https://elsewhere.example"})
    assert found.status_code == 200 and "access-control-allow-origin" not in found.headers
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/predict", headers=asked).status_code == 405


# -- refusals: place, value found, choices

DEEP = b"[" * 100_000 + b"]" * 100_000
REFUSED = {
    "empty": (b"", 400, "body: empty; expected a JSON object"),
    "no JSON": (b'{"text": ', 400, "body: invalid JSON at character 10: Expecting value"),
    "a list": (b"[1]", 400, "body: expected an object, found an array"),
    "no content": (b"{}", 400, "body: expected one of text, texts, rows, transcript, found none of them"),
    "two contents": (b'{"text":"a","texts":["b"]}', 400, "found text and texts"),
    "unknown key": (b'{"txet":"a"}', 400, "'txet' is not one of text, texts, rows, transcript, pair, pairs, format, model (did you mean 'text'?)"),
    "twice": (b'{"text":"a","text":"b"}', 400, "the key 'text' is there twice"),
    "number": (b'{"text":3}', 400, "text: expected a text, found a number (3)"),
    "null": (b'{"text":null}', 400, "text: expected a text, found null"),
    "NaN": (b'{"text":NaN}', 400, "NaN is no number of JSON"),
    "infinity": (b'{"texts":[-Infinity]}', 400, "-Infinity is no number of JSON"),
    "thousands of digits": (b'{"text":' + b"9" * 6000 + b"}", 400, "body: JSON that cannot be read"),
    "huge number": (b'{"texts":[1e999]}', 400, "texts: 1: expected a text, found a number (inf)"),
    "nested": (b'{"text":' + b"[" * 200 + b"]" * 200 + b"}", 400, "nested more than 100 deep"),
    "latin-1": ('{"text":"é"}'.encode("latin-1"), 400, "body: not UTF-8 (byte 9 is 0xe9)"),
    "utf-16": ('{"text":"é"}'.encode("utf-16"), 400, "body: not UTF-8 (byte 0 is 0xff)"),
    "half a character": (b'{"text":"\\ud800"}', 400, "text: holds half a character"),
    "half in a row": (b'{"rows":[{"text":"\\udfff"}]}', 400, "rows: 1: column 'text': holds half a character"),
    "no row": (b'{"rows":[]}', 400, "rows: an empty array"),
    "rows of texts": (b'{"rows":["a"]}', 400, "rows: 1: expected an object, found a text ('a')"),
    "missing column": (b'{"rows":[{"txt":"a"}]}', 400, "rows: 1: column 'text': missing; the row has txt"),
    "a cell of another type": (b'{"rows":[{"text":"a"},{"text":[]}]}', 400, "rows: 2: column 'text': expected a text"),
    "no such model": (b'{"text":"a","model":"lorra"}', 404, "model: 'lorra' is not one of lora, words, pairs, values, calls (did you mean 'lora'?)"),
    "model of another type": (b'{"text":"a","model":["lora"]}', 400, "model: expected a name, found an array"),
    "no pair": (b'{"text":"a","model":"pairs"}', 400, "pair: missing: this model takes pairs"),
    "a pair too much": (b'{"text":"a","pair":"b"}', 400, "pair: this model takes no pairs"),
    "pairs of a text": (b'{"text":"a","pairs":["b"]}', 400, "pairs: it goes with texts, not with text"),
    "pairs in another number": (b'{"texts":["a","b"],"pairs":["b"],"model":"pairs"}', 400, "pairs: 1 of 2 texts"),
    "too many rows": (b'{"texts":[' + b'"a",' * 50 + b'"a"]}', 413, "texts: 51 rows, of at most 50"),
    "too many bytes": (b'{"text":"' + b"a" * 20_000 + b'"}', 413, "body: 20,011 bytes, of at most 20,000"),
    "no model of transcripts": (b'{"transcript":"a","format":"vtt"}', 400, "transcript: this model was trained on a table of texts"),
    "no format": (b'{"transcript":"a","model":"calls"}', 400, "format: expected one of vtt, srt"),
    "a path as format": (b'{"transcript":"a","format":"../../etc/x.vtt","model":"calls"}', 400, "format: '../../etc/x.vtt' is not one of vtt"),
    "a packed format": (b'{"transcript":"a","format":"docx","model":"calls"}', 400, "format: 'docx' is not one of"),
    "no turns": (b'{"transcript":"WEBVTT","format":"vtt","model":"calls"}', 400, "transcript: holds no turns"),
    "a damaged transcript": (b'{"transcript":"[[[","format":"json","model":"calls"}', 400, "transcript"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_malformed_request_is_told_what_is_wrong(case, client):
    body, status, message = REFUSED[case]
    found = ask(client, body)
    error = found.json()["error"]
    assert (found.status_code, error["code"]) == (status, status), found.text
    assert message in error["message"] and "\n" not in error["message"] and "/tmp" not in error["message"]


def test_brackets_without_end_are_refused(served):
    with TestClient(create_app(served, Limits())) as client:
        found = ask(client, DEEP)
        assert found.status_code == 400 and "JSON" in found.json()["error"]["message"]


CLASSIFY = {
    "no input": ({"model": "lora"}, "body: no input"),
    "a number": ({"input": 3}, "input: expected an array, found a number (3)"),
    "token ids": ({"input": [1, 2]}, "input: 1: expected a text, found a number (1)"),
    "values": ({"input": "a", "model": "values"}, "model: values predicts values; ask /predict"),
    "pairs": ({"input": "a", "model": "pairs"}, "model: pairs takes pairs; ask /predict"),
    "another key": ({"inputs": "a"}, "did you mean 'input'?"),
}


@pytest.mark.parametrize("case", CLASSIFY)
def test_classify_refuses_what_it_cannot_answer(case, client):
    body, message = CLASSIFY[case]
    found = ask(client, body, "/v1/classify")
    assert found.status_code == 400 and message in found.json()["error"]["message"]


LINES = {
    "no JSON": (b'{"text":"a"}\n{"text":\n', "line 2: invalid JSON at character 9"),
    "no object": (b"3\n", "line 1: expected an object, found a number (3)"),
    "another type": (
        b'\n{"text":"a"}\n{"text":7}\n',
        "line 3: column 'text': expected a text, found 7 (int)",
    ),
    "a column of ours": (b'{"text":"a","prediction":1}\n', "line 1: it has a column 'prediction' already"),
    "a parameter": (b'{"text":"a"}\n', "address: parameter 'modl' is not one of model"),
}


@pytest.mark.parametrize("case", LINES)
def test_a_wrong_line_is_named(case, client):
    body, message = LINES[case]
    found = ask(client, body, "/predict.ndjson" + ("?modl=lora" if case == "a parameter" else ""))
    assert found.status_code == 400 and message in found.json()["error"]["message"]


def test_a_wrong_line_behind_answered_ones_is_the_last_line(served):
    with TestClient(create_app(served, Limits(batch_rows=2))) as client:
        found = ask(
            client,
            b'{"text":"snow"}\n{"text":"cat"}\n{"text":"dog"}\n{"text":1}\n{"text":"fog"}\n',
            "/predict.ndjson",
        )
    lines = [json.loads(line) for line in found.text.splitlines()]
    assert [line.get("text") for line in lines] == ["snow", "cat", None] and found.status_code == 200
    assert lines[-1]["error"]["message"] == "line 4: column 'text': expected a text, found 1 (int)"


def test_a_line_that_never_ends_is_refused(client):
    found = ask(client, b'{"text":"' + b"a" * 30_000, "/predict.ndjson")
    assert found.status_code == 413 and "line 1: more than 20,000 bytes" in found.json()["error"]["message"]


def test_no_line_is_no_answer(client):
    found = ask(client, b"\n\n", "/predict.ndjson")
    assert (found.status_code, found.content) == (200, b"")


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/predict", 405), ("/predict/", 404)])
def test_another_route_is_refused_in_the_same_form(path, status, client):
    found = client.get(path)
    assert found.status_code == status and found.json()["error"]["code"] == status


def test_what_a_model_raises_is_no_end_of_the_server(folders, caplog):
    served = Served.load({"words": folders.words})
    served.models["words"].predictor.model.paid = True  # it is not warmed up
    served.models["words"].predictor.post = None
    with TestClient(create_app(served)) as client:
        found = ask(client, {"text": "a secret text"})
        assert found.status_code == 500
        assert found.json()["error"]["message"] == "the server failed; its log says why"
        assert client.get("/healthz").status_code == 200
    assert "TypeError" in caplog.text and "secret" not in caplog.text


# -- keys


def test_with_a_key_every_route_but_healthz_wants_it(served):
    key = "s3cret-key"
    with TestClient(create_app(served, key=ApiKey(key))) as client:
        assert client.get("/healthz").status_code == 200
        for header in (None, "", key, f"Bearer {key}x", "Bearer ", f"Basic {key}", "Bearer é"):
            headers = {} if header is None else {"Authorization": header.encode("latin-1")}
            for path in ("/v1/models", "/metrics", "/docs", "/openapi.json", "/nothing"):
                assert client.get(path, headers=headers).status_code == 401
            found = ask(client, {"text": "snow"}, headers=headers)
            assert found.status_code == 401 and found.headers["www-authenticate"] == "Bearer"
            assert key not in found.text
        right = {"Authorization": f"Bearer {key}"}
        assert ask(client, {"text": "snow"}, headers=right).status_code == 200
        assert client.get("/metrics", headers=right).status_code == 200
    assert key not in repr(ApiKey(key))


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "schlüssel", "a\tb"])
def test_a_key_that_is_none_is_refused(value, monkeypatch):
    monkeypatch.delenv("SERVE_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SERVE_KEY", value)
    with pytest.raises(ConfigError, match="--api-key-env: .*SERVE_KEY"):
        key_from("SERVE_KEY")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"most_rows": 0}, "most_rows: 0 is below 1"),
        ({"wait_ms": float("nan")}, "wait_ms: nan is not from 0"),
        ({"wait_ms": -1.0}, "wait_ms: -1.0 is not from 0"),
        ({"queue": 10}, "most_rows: 1024 rows of a request never fit into a queue of 10"),
    ],
)
def test_limits_that_cannot_be_kept(options, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        Limits(**options)
