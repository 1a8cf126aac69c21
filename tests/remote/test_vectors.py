"""Heads on a server's vectors: whole runs, saved, loaded in another process, and what they cost."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import load_file

from stratune.api import compare
from stratune.data.split import assemble
from stratune.errors import ConfigError, MissingEndpoint
from stratune.identity import asked_by
from stratune.predictor.predictor import Predictor
from stratune.remote.answers import Answers
from stratune.task import Task
from stratune.testing import toy_split
from tests.cli.comparison import stratune
from tests.helpers import executed
from tests.remote.scripted import WIDTH, embedded, vector_of
from tests.remote.test_asking import allowed
from tests.remote.test_oddities import refused

HOW = {"attempts": 2, "batch": 8}


def run(remote, out, spec="probe", *, split=None, settings=None, **options):
    return executed(
        spec, f"{remote.url}#tiny", split or toy_split(), out, remote={**HOW, **options}, **(settings or {})
    )


def asked(remote):
    return [text for body in remote.bodies for text in body["input"]]


def normed(vectors):
    """A LayerNorm without weights."""
    spread = np.sqrt(vectors.var(axis=1, keepdims=True) + 1e-5)
    return (vectors - vectors.mean(axis=1, keepdims=True)) / spread


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def vectors_of(texts, prompt=""):
    return np.array([vector_of(prompt + text) for text in texts])


def predicted(folder, part="test"):
    """(N, K) scores of a run, as written."""
    table = pq.read_table(folder / "predictions.parquet").to_pandas()
    table = table[table["part"] == part]
    return table[[name for name in table.columns if name.startswith("score_")]].to_numpy()


def test_a_probe_is_a_linear_layer_on_the_servers_vectors(scripted, tmp_path):
    remote = scripted(embedded)
    result, folder = run(remote, tmp_path)
    assert result.error is None and result.total_params is None and result.trainable_params == 2 * WIDTH + 2
    head = load_file(folder / "model" / "head.safetensors")
    texts = list(toy_split().test["text"])
    wanted = softmax(normed(vectors_of(texts)) @ head["linear.weight"].T + head["linear.bias"])
    np.testing.assert_allclose(allowed(folder / "model").predict_proba(texts), wanted, atol=1e-5)
    np.testing.assert_allclose(predicted(folder), wanted, atol=1e-5)


def test_a_centroid_is_the_mean_of_its_rows(scripted, tmp_path):
    result, folder = run(scripted(embedded), tmp_path, "centroid")
    assert result.error is None
    split = toy_split()
    x = vectors_of(split.train["text"])
    unit = x - x.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    labels = np.array(split.train["label"])
    means = np.array([unit[labels == name].mean(axis=0) for name in split.task.labels])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    weight = load_file(folder / "model" / "head.safetensors")["weight"]
    np.testing.assert_allclose(weight / np.linalg.norm(weight, axis=1, keepdims=True), means, atol=1e-5)


def test_the_same_model_gives_the_same_numbers_here_and_on_a_server(scripted, tmp_path, tiny):
    """Its vectors have length 1 there, as those of servers usually have."""
    from transformers import AutoModel, AutoTokenizer

    folder = tiny("bert")
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)

    @torch.no_grad()
    def encoded(text):
        states = model(**tokenizer(text, return_tensors="pt", truncation=True)).last_hidden_state[0]
        return torch.nn.functional.normalize(states.mean(dim=0), dim=0).tolist()

    remote = scripted(lambda body: embedded(body, encoded))
    here, at_home = executed("probe", folder, toy_split(), tmp_path / "here", precision="float32")
    there, served = run(remote, tmp_path / "there")
    assert here.error is None and there.error is None
    np.testing.assert_allclose(predicted(served), predicted(at_home), atol=2e-3)
    assert there.test == pytest.approx(here.test, abs=1e-3)


@pytest.mark.parametrize(
    "spec",
    [
        "knn",
        "label_names",
        "untuned",
        {"preset": "features", "readout": {"components": 8}},
        {"preset": "probe", "readout": {"long": {"way": "chunk", "window": 8}}},
        {"preset": "probe", "readout": {"prompt": "query: "}},
    ],
    ids=["knn", "label_names", "untuned", "features", "chunks", "prompt"],
)
def test_what_reads_frozen_vectors_reads_a_servers(scripted, tmp_path, spec):
    remote = scripted(embedded)
    result, folder = run(remote, tmp_path, spec)
    assert result.error is None
    before = len(remote.bodies)
    texts = list(toy_split().test["text"])
    again = allowed(folder / "model").predict_proba(texts)
    np.testing.assert_allclose(again, predicted(folder), atol=1e-6)
    assert len(remote.bodies) == before  # all answers are stored
    if "prompt" in str(spec):
        assert all(text.startswith("query: ") for text in asked(remote))
        assert "'query: ' stands before each text (readout.prompt)" in result.notes
    if "chunk" in str(spec):
        assert max(len(text.split()) for text in asked(remote)) <= 8


def test_numbers_are_learned_too(scripted, tmp_path):
    split = toy_split()
    tables = {
        name: table.remove_columns("label").add_column("label", [f"{len(one)}" for one in table["text"]])
        for name, table in split.parts.items()
    }
    numbers = assemble(tables, Task(kind="regression"))
    for spec in ("probe", "knn"):
        result, folder = run(scripted(embedded), tmp_path / spec, spec, split=numbers)
        assert result.error is None and np.isfinite(result.test["rmse"])


@pytest.mark.parametrize("readout", ["head", "two_tower"])
def test_pairs_are_one_text_of_two_lines_or_two_vectors(scripted, tmp_path, readout):
    split = toy_split()
    task = replace(split.task, text_pair="text_pair")
    tables = {
        name: table.add_column("text_pair", [f"pair {i}" for i in range(len(table))])
        for name, table in split.parts.items()
    }
    remote = scripted(embedded)
    result, folder = run(
        remote, tmp_path, {"preset": "probe", "readout": readout}, split=assemble(tables, task)
    )
    assert result.error is None
    texts = asked(remote)
    assert all(("\n" in text) == (readout == "head") for text in texts)
    rows = [{"text": "some words", "text_pair": "others"}]
    assert allowed(folder / "model").predict(rows)[0].label in split.task.labels
    new = ["some words\nothers"] if readout == "head" else ["some words", "others"]
    assert asked(remote)[len(texts) :] == new


# -- one row is one row


def test_rows_without_a_vector_teach_nothing_and_are_counted_wrong(scripted, tmp_path):
    split = toy_split()
    bad = [split.train["text"][0], split.train["text"][5], split.test["text"][2]]

    def say(body):
        if any(text in bad for text in body["input"]):
            return refused(400, "flagged by moderation")
        return embedded(body)

    result, folder = run(scripted(say), tmp_path)
    assert result.error is None and result.invalid == pytest.approx(1 / len(split.test))
    assert "2 training rows lack a vector and teach nothing: content filter: 400 Bad Request" in str(
        result.notes
    )
    assert "1 test rows have no valid answer: 1 x content filter" in str(result.notes)
    table = pq.read_table(folder / "predictions.parquet").to_pandas()
    wrong = table[table["invalid_reason"].notna()]
    assert list(wrong["id"]) == [split.test["id"][2]] and wrong["score_animal"].isna().all()
    for technique in ("knn", "centroid"):
        result, _ = run(scripted(say), tmp_path / technique, technique)
        assert result.error is None and result.invalid == pytest.approx(1 / len(split.test))


def test_words_are_cut_and_the_prompt_is_not(scripted, tmp_path):
    remote = scripted(embedded)
    spec = {"preset": "probe", "readout": {"prompt": "one two three: "}}
    result, _ = run(remote, tmp_path, spec, settings={"max_words": 2})
    assert result.error is None and result.tokens_cut > 0
    assert {len(text.split()) for text in asked(remote)} == {5}


# -- cost, and what is kept


def test_each_text_is_asked_about_once_whatever_reads_it(scripted, tmp_path):
    remote = scripted(embedded)
    for place, spec in (("one", "probe"), ("two", "knn"), ("three", "probe")):
        result, _ = run(remote, tmp_path / place, spec)
        assert result.error is None
    split = toy_split()
    every = {text for table in split.parts.values() for text in table["text"]}
    assert sorted(asked(remote)) == sorted(every)
    counted = f"the server counted {sum(map(len, every)):,} tokens of texts"
    assert counted in str(result.notes)


def test_what_it_will_cost_is_said_first_and_may_be_too_much(scripted, tmp_path):
    remote = scripted(lambda body: embedded(body, tokens=lambda text: len(text) // 2))
    split = toy_split()
    every = {text for table in split.parts.values() for text in table["text"]}
    rows = sum(map(len, split.parts.values()))
    result, _ = run(remote, tmp_path / "dear", price=[1000.0, 0.0], max_cost=0.1, per_minute=100_000)
    requests = -(-(len(every) - 1) // 8)
    assert (
        f"asks {rows} rows, {requests} requests, about " in result.error and "of answers" not in result.error
    )
    assert result.error.endswith("more than remote.max_cost, 0.10; one text was asked about")
    assert len(remote.bodies) == 1
    result, _ = run(remote, tmp_path / "paid", price=[1000.0, 0.0], max_cost=1e6)
    assert result.error is None
    real = sum(len(text) // 2 for text in every) / 1000
    assert result.price == pytest.approx(real, rel=0.1)


def test_no_key_is_in_any_file(scripted, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-0815")
    remote = scripted(lambda body: {**embedded(body), "model": "sk-very-secret-0815"})
    result, folder = run(remote, tmp_path)
    assert result.error is None and set(remote.keys) == {"Bearer sk-very-secret-0815"}
    files = [path for top in (tmp_path, Answers().path.parent) for path in top.rglob("*") if path.is_file()]
    assert len(files) > 5 and not any(b"very-secret" in path.read_bytes() for path in files)


def test_a_model_folder_keeps_how_it_was_asked_and_predicts_elsewhere(scripted, tmp_path):
    remote = scripted(lambda body: embedded(body, lambda text: vector_of(text)[: body["dimensions"]]))
    spec = {"preset": "probe", "readout": {"prompt": "query: "}}
    result, folder = run(remote, tmp_path, spec, dimensions=4, workers=3, extra={"truncate": True})
    assert result.error is None
    manifest = json.loads((folder / "model" / "stratune.json").read_text())
    server = manifest["server"]
    assert (server["dimensions"], server["width"], server["extra"]) == (4, 4, {"truncate": True})
    assert server["retry_policy"]["workers"] == 3 and server["retry_policy"]["batch"] == 8
    assert manifest["strategy"]["readout"]["prompt"] == "query: "
    before = len(remote.bodies)
    (tmp_path / "new.csv").write_text("text\nnever seen before\nnor was this\n")
    where = {"cwd": tmp_path, "cache": tmp_path / "other-cache"}
    done = stratune("predict", folder / "model", "new.csv", **where)
    assert done.returncode == 2 and f"--allow-server {remote.url}" in done.stderr
    assert len(remote.bodies) == before  # nothing was sent
    done = stratune(
        "predict", folder / "model", "new.csv", "--allow-server", remote.url, "-o", "said.csv", **where
    )
    assert done.returncode == 0, done.stderr
    assert sorted(asked(remote)[-2:]) == ["query: never seen before", "query: nor was this"]
    assert all(body["dimensions"] == 4 and body["truncate"] for body in remote.bodies[before:])
    said = (tmp_path / "said.csv").read_text().splitlines()
    here = allowed(folder / "model").predict(["never seen before", "nor was this"])
    assert [line.split(",")[1] for line in said[1:]] == [one.label for one in here]


def test_a_server_that_changed_its_model_is_noticed(scripted, tmp_path):
    remote = scripted(embedded)
    _, folder = run(remote, tmp_path)
    remote.say = lambda body: embedded(body, lambda text: vector_of(text, 9))
    with pytest.raises(Exception, match="a vector of 9 numbers, where others have 6: another model answers"):
        allowed(folder / "model").predict(["something new"])


def test_few_rows_are_cross_validated(scripted, tmp_path):
    remote = scripted(embedded)
    rows = toy_split().train.to_pandas().head(24)
    (tmp_path / "rows.csv").write_text(rows[["text", "label"]].to_csv(index=False))
    board = compare(
        str(tmp_path / "rows.csv"), strategies=["probe"], backbones=[f"{remote.url}#tiny"],
        out=tmp_path / "out", progress=False, data={"validation": "folds"}, remote={**HOW, "price": [1.0, 0.0]},
    )  # fmt: skip
    assert {row["status"] for row in board.rows} == {"ok"}
    texts = asked(remote)
    assert sorted(texts) == sorted(set(rows["text"]))


# -- what is refused


def test_a_server_without_vectors_ends_a_comparison_before_it_begins(scripted, tmp_path):
    remote = scripted(lambda body: (404, "404 page not found"))
    (tmp_path / "rows.csv").write_text(toy_split().train.to_pandas()[["text", "label"]].to_csv(index=False))
    done = stratune(
        "compare", "--data", "rows.csv", "--strategies", "majority,tfidf,probe", "--backbone",
        f"{remote.url}#tiny", "--out", "out", cwd=tmp_path, cache=tmp_path / "cache",
    )  # fmt: skip
    why = "404 Not Found: 404 page not found; it has no /embeddings, so that no vectors can be had of tiny"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"stratune: {remote.url}: {why}")
    assert len(remote.bodies) == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("lora", "lora cannot run on {}#tiny: a server's weights cannot be trained; use probe, knn, centroid"),
        ({"preset": "probe", "solved": False}, "a server's weights cannot be trained"),
        ({"preset": "probe", "readout": {"long": {"way": "hierarchical"}}}, "a server's weights cannot be"),
        ({"preset": "probe", "readout": {"long": {"keep": "tail"}}}, "keep: tail cannot run on a server: "),
        ({"preset": "probe", "readout": {"prompt_name": "query"}}, "readout.prompt_name: 'query' is not one of (none: give `prompt`"),
    ],
    ids=["lora", "in steps", "hierarchical", "tail", "prompt name"],
)  # fmt: skip
def test_what_a_server_cannot_do_is_a_failed_row(scripted, tmp_path, spec, why):
    remote = scripted(embedded)
    result, _ = run(remote, tmp_path, spec)
    assert why.format(remote.url) in result.error and not remote.bodies


def test_what_a_server_was_asked_with_is_a_part_of_a_runs_identity():
    plain = asked_by({"extra": {}, "dimensions": None, "batch": 8})
    assert plain == asked_by({"batch": 64}) != asked_by({"dimensions": 256})
    with pytest.raises(ConfigError, match="remote.extra: 'input' is set by stratune"):
        compare("demo:reviews", strategies=["majority"], remote={"extra": {"input": "x"}}, progress=False)


def test_a_missing_endpoint_is_an_error_of_a_server():
    from stratune.errors import RemoteError

    assert issubclass(MissingEndpoint, RemoteError)
    assert Predictor  # what loads a folder
