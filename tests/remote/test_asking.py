"""A whole comparison on a server's model: chosen, calibrated, saved, loaded, and asked about each prompt once."""

import json
import math
import re
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from stratune.api import compare
from stratune.data.split import assemble
from stratune.errors import ConfigError
from stratune.predictor.predictor import Predictor
from stratune.remote.settings import Remote
from stratune.task import Task
from stratune.testing import toy_split
from stratune.testing.toy import FAMILIES
from tests.helpers import executed
from tests.remote.scripted import listed, prompt_of, spelled, written

REFUSAL = (400, {"error": {"message": "unknown field"}})
TEMPLATE = {"name": "short", "task": "One of {labels}.", "row": "Text: {text}", "answer": "It is {label}"}


def truth_of(prompt):
    """What a model that knows the toy task would say of the last text in a prompt."""
    words = prompt.rsplit("Text:", 1)[-1].split()
    return "animal" if any(word in FAMILIES["animal"] for word in words) else "weather"


def sure(body):
    """Next tokens as servers list them, behind what the answer begins with."""
    if any(name in body for name in ("echo", "prompt_logprobs")):
        return REFUSAL
    right = truth_of(prompt_of(body))
    other = {"animal": " weather", "weather": " animal"}[right]
    shares = {f" {right}": math.exp(-0.1) + math.exp(-4.0), other: math.exp(-3.0), " the": math.exp(-5.0)}
    return spelled(body, shares, split=20, begin="It is")


def writes(body):
    """A server that offers neither log-probabilities nor constraints."""
    if "response_format" in body or "grammar" in body:
        return 400, {"error": {"message": "unknown field"}}
    prompt = prompt_of(body)
    return written(
        "no idea" if "snow" in prompt.rsplit("Text:", 1)[-1] else f" {truth_of(prompt).title()}.\n"
    )


def allowed(folder):
    """The model, whose server the user named."""
    address = json.loads((folder / "stratune.json").read_text())["backbone"]["id"]
    return Predictor.load(folder, allow_server=address)


def run(scripted, tmp_path, spec, *, seed=0, remote=None, split=None):
    split = split or toy_split()
    readout = {"template": TEMPLATE, **spec.get("readout", {})}
    how = {"seed": seed, "remote": {"attempts": 2, **(remote or {})}}
    return executed({**spec, "readout": readout}, f"{scripted.url}#tiny", split, tmp_path / "out", **how)


def test_log_probabilities_of_a_servers_model_become_scores(scripted, tmp_path):
    result, folder = run(scripted(sure), tmp_path, {"preset": "zero_shot"})
    assert (result.error, result.test["accuracy"], result.invalid) == (None, 1.0, 0.0)
    assert result.trainable_params == 0 and result.total_params is None
    texts = list(toy_split().test["text"])
    said = allowed(folder / "model").predict_proba(texts)
    right, other = np.exp(-0.1) + np.exp(-4.0), np.exp(-3.0)
    np.testing.assert_allclose(said.max(axis=1), right / (right + other), atol=1e-6)


def test_a_server_rates_on_a_scale(scripted, tmp_path):
    """Values from log-probabilities, and from answers in writing; a loaded folder says the same."""
    rows = toy_split()
    values = {"animal": "2.1", "weather": "3.8"}
    tables = {
        name: table.remove_columns("label").add_column("label", [values[one] for one in table["label"]])
        for name, table in rows.parts.items()
    }
    split = assemble(tables, Task(kind="regression"))
    words = {"words": {"2": "animal", "4": "weather"}}
    readout = {"scale": [2, 4], "template": {**TEMPLATE, **words}}
    result, folder = run(scripted(sure), tmp_path, {"preset": "zero_shot", "readout": readout}, split=split)
    assert result.error is None and result.test["pearson"] == pytest.approx(1.0)
    said = allowed(folder / "model").predict_proba(list(split.test["text"]))
    right, other = np.exp(-0.1) + np.exp(-4.0), np.exp(-3.0)
    wrong = other / (right + other)
    wanted = [2 + 2 * (wrong if label == "2.1" else 1 - wrong) for label in split.test["label"]]
    np.testing.assert_allclose(said[:, 0], wanted, atol=1e-6)
    result, _ = run(
        scripted(writes), tmp_path / "w", {"preset": "zero_shot", "readout": readout}, split=split
    )
    assert result.error is None and set(np.round(answers_of(tmp_path / "w"), 6)) <= {2.0, 4.0}


def answers_of(place):
    """The valid values of predictions.parquet."""
    (path,) = place.glob("out/runs/*/predictions.parquet")
    given = pq.read_table(path)["prediction"].drop_null().to_pylist()
    return [float(value) for value in given]


def test_each_prompt_is_asked_once_however_often_the_run_is_made(scripted, tmp_path):
    remote = scripted(sure)
    for place in ("one", "two"):
        result, folder = run(
            remote, tmp_path / place, {"preset": "few_shot", "readout": {"shots": 2, "draws": 2}}
        )
        assert result.error is None and result.trials == 2
        allowed(folder / "model").predict(list(toy_split().test["text"]))
    bodies = [body for body in remote.bodies if "prompt_logprobs" not in body]  # which it refuses
    assert set(Counter(map(str, bodies)).values()) == {1}
    assert len(bodies) == 2 * 16 + 16  # both draws about validation, the better one about test


def test_the_best_prompt_is_kept_and_calibrated(scripted, tmp_path):
    def deaf(body):  # hears only one of the two templates
        if "prompt_logprobs" in body or "Heard" in prompt_of(body):
            return sure(body)
        return listed(body, {"animal": -0.1, "weather": -3.0})

    heard = {**TEMPLATE, "name": "heard", "row": "Heard. Text: {text}"}
    tries = {"template": [TEMPLATE, heard], "calibrate": ["none", "batch"]}
    result, folder = run(
        scripted(deaf), tmp_path, {"preset": "zero_shot", "readout": {"tries": tries, "temperature": True}}
    )
    assert result.error is None and result.test["accuracy"] == 1.0
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert trials[0]["settings"]["template"] == "heard" and len(trials) == 4
    manifest = json.loads((folder / "model" / "stratune.json").read_text())
    assert (
        manifest["server"]["way"] == "logprobs" and manifest["calibration"]["scale"] > 1
    )  # all right: surer


@pytest.mark.parametrize("calibrate", ["batch", "contextual"])
def test_rows_without_an_answer_leave_the_calibration_alone(calibrate, scripted, tmp_path):
    def unsure(body):  # says no label of some rows, and of texts without content
        text = prompt_of(body).rsplit("Text:", 1)[-1]
        known = any(word in text.split() for word in (*FAMILIES["animal"], "rain", "wind"))
        if known or "prompt_logprobs" in body:
            return sure(body)
        return listed(body, {"the": -0.1, "so": -3.0})

    options = {"calibrate": calibrate, "threshold": True, "temperature": True}
    result, folder = run(scripted(unsure), tmp_path, {"preset": "zero_shot", "readout": options})
    assert result.error is None and 0 < result.invalid < 1
    assert result.test["accuracy"] == pytest.approx(1 - result.invalid)
    manifest = json.loads((folder / "model" / "stratune.json").read_text())
    assert np.isfinite(manifest["calibration"]["bias"]).all() and np.isfinite(
        manifest["calibration"]["scale"]
    )


def test_a_threshold_between_three_labels_is_refused_without_asking(scripted, tmp_path):
    remote = scripted(sure)
    spec = {"preset": "zero_shot", "readout": {"threshold": True}}
    result, _ = run(remote, tmp_path, spec, split=toy_split(3))
    assert result.error == "readout.threshold: a threshold needs two labels, not 3"
    assert not remote.log


def test_a_server_that_only_writes_is_read_strictly(scripted, tmp_path):
    result, folder = run(scripted(writes), tmp_path, {"preset": "zero_shot"})
    split = toy_split()
    snowy = np.mean(["snow" in text for text in split.test["text"]])
    assert result.error is None and result.invalid == pytest.approx(snowy) and snowy > 0
    assert result.test["accuracy"] == pytest.approx(1 - snowy)
    loaded = allowed(folder / "model")
    answers = loaded.model(["rain and snow", "the cat"], None).answers
    assert answers == ["no idea", " Animal.\n"]


def test_readout_generate_never_asks_for_log_probabilities(scripted, tmp_path):
    remote = scripted(lambda body: written(truth_of(prompt_of(body))))
    spec = {"preset": "zero_shot", "readout": {"kind": "generate", "sample": 0.5, "max_new_tokens": 5}}
    result, _ = run(remote, tmp_path, spec, seed=3)
    assert (result.error, result.test["accuracy"], result.invalid) == (None, 1.0, 0.0)
    assert all(
        (body["temperature"], body["max_tokens"], body["seed"]) == (0.5, 5, 3) and "logprobs" not in body
        for body in remote.bodies
    )


def test_what_would_learn_is_refused_without_asking(scripted, tmp_path):
    remote = scripted(sure)
    result, _ = run(remote, tmp_path, {"preset": "completion"})
    assert result.error == (
        f"completion cannot run on {remote.url}#tiny: a server's weights cannot be trained; use zero_shot or few_shot, "
        "with `words` or `generate`"
    )
    assert not remote.log


def test_what_it_will_take_is_told_before_it_starts(scripted, tmp_path):
    result, _ = run(scripted(sure), tmp_path, {"preset": "zero_shot"}, remote={"price": [1.0, 2.0]})
    note, way = result.notes
    found = re.fullmatch(
        r"asks 32 rows, 31 requests, about ([\d,]+) tokens of prompts, at most 31 of answers, "
        r"about 0\.00 at the price given",
        note,
    )
    tokens = int(found[1].replace(",", ""))
    assert 31 * 10 < tokens < 31 * 60  # one row showed which way the server offers
    assert result.price == pytest.approx((tokens * 1.0 + 31 * 2.0) / 1e6, rel=0.05)
    assert way == "asked by log-probabilities of next tokens (the answer begun for the model)"
    assert result.tried == {"settings": 1}


def test_a_failed_server_is_a_failed_row_that_the_next_call_makes(scripted, tmp_path):
    remote = scripted(sure)
    remote.say = lambda body: (401, {"error": {"message": "who are you"}})
    result, _ = run(remote, tmp_path, {"preset": "zero_shot"})
    assert result.status == "failed" and "set OPENAI_API_KEY" in result.error
    remote.say = sure
    assert run(remote, tmp_path, {"preset": "zero_shot"})[0].status == "ok"


def test_nearest_demonstrations_are_turns_of_the_chat(scripted, tmp_path):
    remote = scripted(sure)
    result, folder = run(remote, tmp_path, {"preset": "few_shot", "readout": {"shots": 1, "pick": "nearest"}})
    assert result.error is None
    shown = {body["messages"][0]["content"] for body in remote.bodies}
    assert len(shown) > 5  # each row has its own
    turns = [message["role"] for message in remote.bodies[0]["messages"]]
    assert turns == ["user", "assistant", "user", "assistant"]  # the last one begins the answer
    assert folder.name.startswith("few_shot@http--127.0.0.1--")


def test_plain_templates_are_sent_as_text(scripted, tmp_path):
    remote = scripted(sure)
    spec = {"preset": "zero_shot", "readout": {"template": {**TEMPLATE, "chat": False}}}
    result, _ = run(remote, tmp_path, spec)
    assert result.error is None and result.test["accuracy"] == 1.0
    assert remote.bodies[-1]["prompt"].endswith("\nIt is")


def test_a_comparison_has_server_and_local_rows_side_by_side(scripted, tiny, tmp_path):
    remote = scripted(sure)
    rows = [
        {"text": t, "label": k}
        for part in toy_split().parts.values()
        for t, k in zip(part["text"], part["label"], strict=True)
    ]
    board = compare(
        rows, strategies=["majority", {"preset": "zero_shot", "readout": {"template": TEMPLATE}}],
        backbones=str(tiny("bert")), llms=[f"{remote.url}#tiny"], out=tmp_path / "out", progress=False,
    )  # fmt: skip
    assert [(row["strategy"], row["status"]) for row in board.rows] == [
        ("zero_shot", "ok"),
        ("majority", "ok"),
    ]
    assert board.rows[0]["backbone"] == f"{remote.url}#tiny"
    assert board.best.predict(["the cat"])[0].label == "animal"


@pytest.mark.parametrize(
    ("remote", "message"),
    [
        ({"workers": 0}, "0 is not above 0"),
        ({"price": [1.0, -1.0]}, "remote.price: [1.0, -1.0]: two prices from 0 up"),
        ({"price": 3}, "remote.price"),
        (
            {"speed": 3},
            "remote.speed: 'speed' is not one of attempts, batch, batches, dimensions, extra, longest, max_cost, per_minute, price, prompts, thought",
        ),
    ],
)
def test_wrong_settings_are_said_before_anything_runs(remote, message, tmp_path):
    with pytest.raises(ConfigError) as caught:
        compare("demo:reviews", strategies=["majority"], remote=remote, out=tmp_path / "out", progress=False)
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_user_may_name_the_way_that_is_asked(scripted, tmp_path):
    server = scripted(sure)
    result, folder = run(server, tmp_path, {"preset": "zero_shot"}, remote={"way": "logprobs"})
    assert (result.error, result.test["accuracy"]) == (None, 1.0)
    assert not any("prompt_logprobs" in body or "echo" in body for body in server.bodies)
    assert json.loads((folder / "model" / "stratune.json").read_text())["server"]["way"] == "logprobs"
    result, _ = run(scripted(writes), tmp_path / "w", {"preset": "zero_shot"}, remote={"way": "whole"})
    why = "it does not offer log-probabilities of whole labels, which remote.way asks for"
    assert why in result.error
    with pytest.raises(ConfigError, match="remote.way: 'echo' is not one of whole, logprobs, constrained"):
        Remote(way="echo")


def test_what_was_asked_and_answered_is_kept_and_shown(scripted, tmp_path, capsys):
    from stratune.cli import main

    result, folder = run(scripted(writes), tmp_path, {"preset": "zero_shot"})
    lines = [json.loads(line) for line in (folder / "prompts.jsonl").read_text().splitlines()]
    ways = ("logprobs", "prompt_logprobs")
    answered = [line for line in lines if "answer" in line and not any(way in line["asked"] for way in ways)]
    assert result.error is None and {line["answer"] for line in answered} >= {"no idea", " Animal.\n"}
    assert all(line["asked"]["messages"][-1]["content"].endswith("It is") for line in answered)
    with pytest.raises(SystemExit) as ended:
        main(["prompt", "show", str(tmp_path / "out")])
    assert not ended.value.code
    said = capsys.readouterr().out
    assert said.startswith("== zero_shot@http") and "prompt: user: One of animal, weather." in said
    assert "answer: " in said
    off, folder = run(scripted(writes), tmp_path / "off", {"preset": "zero_shot"}, remote={"prompts": False})
    assert off.error is None and not (folder / "prompts.jsonl").exists()


def test_of_a_cross_validation_all_requests_are_kept_and_counted(scripted, tmp_path):
    def counted(body):
        said = sure(body)
        return (
            said
            if isinstance(said, tuple)
            else {**said, "usage": {"prompt_tokens": 10, "completion_tokens": 1}}
        )

    toy = toy_split()
    folds = tuple(i % 4 for i in range(len(toy.train)))
    parts = {"train": toy.train, "val": toy.train, "test": toy.test}
    split = assemble(parts, toy.task, folds=folds)
    spec = {"preset": "few_shot", "readout": {"shots": 2}}
    result, folder = run(scripted(counted), tmp_path, spec, split=split)
    lines = [json.loads(line) for line in (folder / "prompts.jsonl").read_text().splitlines()]
    answered = [line for line in lines if "answer" in line]
    assert result.error is None and not list(folder.glob("fold-*"))
    assert (
        f"the server counted {10 * len(answered):,} tokens of prompts, {len(answered)} of answers"
        in result.notes
    )
    assert len(answered) == len(toy.train) + len(toy.test)
