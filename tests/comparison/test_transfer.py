"""transfer: trained on one source, tested on another, on the same test rows."""

from __future__ import annotations

import json
import random
import shutil

import pytest
from sklearn.metrics import f1_score
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.source import split_of
from stratune.comparison.transfer import transfer
from stratune.config import parse_config, read_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ConfigError
from stratune.report import publish

# In `web` and `mail` the same words tell the label; on the `phone` others do, and theirs say nothing.
TOLD = {
    "web": {"yes": ["good", "fine"], "no": ["bad", "poor"]},
    "mail": {"yes": ["good", "fine"], "no": ["bad", "poor"]},
    "phone": {"yes": ["yeah", "sure"], "no": ["nah", "nope"]},
}
ENDS = [
    f"{one}{two}{end}" for one in "bdfglmnprst" for two in ("a", "ei", "o", "u") for end in ("rm", "sk", "nt")
]


def rows(count=900, seed=0):
    draws = random.Random(seed)
    for number in range(count):
        source, label = draws.choice(list(TOLD)), draws.choice(["yes", "no"])
        words = [draws.choice(ENDS) for _ in range(10)] + [draws.choice(TOLD[source][label])]
        yield {
            "text": " ".join(words),
            "label": label,
            "channel": source,
            "rare": "a" if number % 50 else "b",
        }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("transfer")
    (place / "rows.jsonl").write_text("\n".join(map(json.dumps, rows())))
    config = {"data": {"source": str(place / "rows.jsonl")}, "strategies": ["majority", "tfidf"]}
    list(run_comparison(parse_config(config), place / "out", engine=InlineEngine(), anyway=True))
    transfer(place / "out", "channel", shown=False)
    return place


@pytest.fixture
def out(made, tmp_path):
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made" / "out"


def found_in(out):
    return json.loads((out / "transfer.json").read_text())


def named(found, strategy):
    return next(one for one in found["strategies"] if one["strategy"] == strategy)


def test_what_was_planted_is_found(out):
    found = found_in(out)
    names = [one["name"] for one in found["sources"]]
    assert set(names) == set(TOLD)
    cells = named(found, "tfidf")["cells"]
    at = {(home, away): cells[i][j] for i, home in enumerate(names) for j, away in enumerate(names)}
    for home in names:
        assert at[home, home]["estimate"]["value"] > 0.95 and at[home, home]["change"] is None
    assert at["web", "mail"]["estimate"]["value"] > 0.95
    assert at["web", "mail"]["change"]["p_adjusted"] > 0.05
    for away in ("web", "mail"):
        assert at["phone", away]["change"]["high"] < -0.2 and at["phone", away]["change"]["p_adjusted"] < 0.05
    loss = named(found, "tfidf")["loss"]
    mean = sum(at[home, away]["change"]["difference"] for home in names for away in names if home != away) / 6
    assert loss["value"] == pytest.approx(mean) and loss["high"] < 0
    assert "`tfidf`" in found["sentence"] and "majority" not in found["sentence"]


def test_each_number_is_of_a_models_answers_to_these_rows(out):
    found, folders = found_in(out), list((out / "transfer").iterdir())
    assert len(folders) == 3
    config = read_config(out / "config.yaml")
    whole = split_of(config)
    table = [json.loads(line) for line in (out.parent / "rows.jsonl").read_text().splitlines()]
    channel = {str(number): row["channel"] for number, row in enumerate(table, start=1)}
    names = [one["name"] for one in found["sources"]]
    for folder in folders:
        own = read_config(folder / "config.yaml")
        home = own.data.trained_on.value
        split = split_of(own)
        assert {channel[row] for part in ("train", "val") for row in split.parts[part]["id"]} == {home}
        assert list(split.test["id"]) == list(whole.test["id"])
        truth, answers = {}, {}
        model = next((folder / "runs").glob("tfidf*")) / "model"
        from stratune.predictor.predictor import Predictor

        predicted = Predictor.load(model).predict(list(split.test["text"]))
        for row, label, one in zip(split.test["id"], split.test["label"], predicted, strict=True):
            truth.setdefault(channel[row], []).append(label)
            answers.setdefault(channel[row], []).append(one.label)
        line = named(found, "tfidf")["cells"][names.index(home)]
        for away, cell in zip(names, line, strict=True):
            wanted = f1_score(truth[away], answers[away], average="macro")
            assert cell["estimate"]["value"] == pytest.approx(wanted)
    sizes = {one["name"]: (one["train"], one["val"], one["test"]) for one in found["sources"]}
    assert sizes["web"] == tuple(
        sum(channel[row] == "web" for row in whole.parts[part]["id"]) for part in ("train", "val", "test")
    )


def test_it_stands_on_board_and_page_until_a_model_is_another_one(out):
    publish(out)
    assert [one["strategy"] for one in Board.load(out).leaderboard["transfer"]["strategies"]] == [
        "tfidf",
        "majority",
    ]
    assert "From one source to another" in (out / "report.html").read_text()
    result = out / "runs" / "tfidf@none#0" / "result.json"
    changed = json.loads(result.read_text())
    changed["files"]["history.jsonl"] = "0" * 64
    result.write_text(json.dumps(changed))
    publish(out)
    assert [one["strategy"] for one in Board.load(out).leaderboard["transfer"]["strategies"]] == ["majority"]


def test_again_nothing_is_trained(out):
    before = {path: path.stat().st_mtime_ns for path in (out / "transfer").rglob("result.json")}
    again = transfer(out, "channel", ["web", "phone"], shown=False)
    assert [one["name"] for one in again["sources"]] == ["web", "phone"]
    assert any("'mail'" in note for note in again["notes"])
    assert {path: path.stat().st_mtime_ns for path in (out / "transfer").rglob("result.json")} == before


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("nope", None, "nope"),
        ("rare", None, "1 of 2 values have enough rows"),
        ("channel", ["web"], "two are needed"),
        ("channel", ["web", "fax"], "fax"),
        ("text", None, "0 of"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(out, column, values, says):
    before = (out / "transfer.json").read_bytes()
    with pytest.raises(ConfigError, match=says):
        transfer(out, column, values, shown=False)
    assert (out / "transfer.json").read_bytes() == before


def test_compare_does_it_too_and_looks_at_the_column_first(made, tmp_path):
    data = {"source": str(made / "rows.jsonl")}
    wrong = parse_config({"data": data, "strategies": ["tfidf"], "transfer": "nope"})
    with pytest.raises(ConfigError, match="nope"):
        list(run_comparison(wrong, tmp_path / "wrong", engine=InlineEngine()))
    assert not (tmp_path / "wrong").exists()
    options = [
        "--data",
        str(made / "rows.jsonl"),
        "--strategies",
        "tfidf",
        "--transfer",
        "channel",
        "--anyway",
    ]
    ran = CliRunner().invoke(app, ["compare", *options, "--out", str(tmp_path / "own"), "--quiet"])
    assert ran.exit_code == 0, ran.output
    first, again = (
        [[cell["estimate"] for cell in line] for line in named(found_in(out), "tfidf")["cells"]]
        for out in (tmp_path / "own", made / "out")
    )
    assert first == again


def test_the_command_shows_a_table_a_strategy(out):
    ran = CliRunner().invoke(app, ["transfer", str(out), "channel", "--quiet"])
    assert (ran.exit_code, ran.output) == (0, "")
    ran = CliRunner().invoke(app, ["transfer", str(out), "channel"])
    assert ran.exit_code == 0 and "all rows" in ran.output and "* clearly other" in ran.output
