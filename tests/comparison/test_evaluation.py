"""evaluate: the models of a comparison on other rows, which are a comparison of the same models."""

from __future__ import annotations

import json
import random
import shutil

import pytest
from sklearn.metrics import accuracy_score, f1_score
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.evaluation import evaluate
from stratune.comparison.slices import slices
from stratune.config import parse_config, read_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError, DataError
from stratune.files import read_json
from stratune.report import publish

TOLD = {"yes": ["good", "fine", "great"], "no": ["bad", "poor", "awful"]}
WORDS = [
    f"{one}{two}{end}"
    for one in "bdfglmnprst"
    for two in ("a", "ei", "o", "u")
    for end in ("rm", "sk", "nt", "ld")
]


def rows(count, seed, wrong=0.05):
    """A word tells the label; in a share of the rows it tells the wrong one."""
    draws = random.Random(seed)
    for number in range(count):
        label = draws.choice(["yes", "no"])
        told = {"yes": "no", "no": "yes"}[label] if draws.random() < wrong else label
        words = [draws.choice(WORDS) for _ in range(12)] + [draws.choice(TOLD[told])]
        yield {"key": f"{seed}-{number}", "text": " ".join(words), "label": label}


def write(path, table):
    path.write_text("\n".join(map(json.dumps, table)) + "\n")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("evaluated")
    data = {"source": str(write(place / "rows.jsonl", rows(300, 0)))}
    config = {"data": data, "strategies": ["majority", "tfidf"], "task": {"id": "key"}}
    list(run_comparison(parse_config(config), place / "out", engine=InlineEngine(), anyway=True))
    return place


@pytest.fixture
def out(made, tmp_path):
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made" / "out"


@pytest.fixture
def other(made, tmp_path):
    """Rows of which a third tell the wrong label, in columns with other names, with raters."""
    table = [
        {
            "sentence": row["text"],
            "gold": row["label"],
            "label": "old",
            "votes": [row["label"], row["label"], ("yes", "no")[i // 2 % 2]],
            "year": 2000 + i % 2,
        }
        for i, row in enumerate(rows(200, 1, wrong=0.33))
    ]
    return write(tmp_path / "later.jsonl", table)


def named(found, strategy):
    return next(line for line in found["strategies"] if line["strategy"] == strategy)


COLUMNS = {"text": "sentence", "label": "gold"}


def test_its_scores_are_those_of_the_models_answers(out, other):
    found = evaluate(out, str(other), **COLUMNS)
    table = [json.loads(line) for line in other.read_text().splitlines()]
    model, truth = Board.load(out).model("tfidf"), [row["gold"] for row in table]
    answers = [one.label for one in model.predict([row["sentence"] for row in table])]
    assert found["rows"] == 200 and found["name"] == "later"
    line = named(found, "tfidf")
    assert line["here"]["value"] == pytest.approx(f1_score(truth, answers, average="macro"))
    own = next(row for row in Board.load(out).rows if row["strategy"] == "tfidf")
    assert line["own"]["value"] == pytest.approx(own["test"]["f1_macro"]["value"])
    change = line["change"]
    assert change["difference"] == pytest.approx(line["here"]["value"] - line["own"]["value"])
    assert change["high"] < 0 and change["p_adjusted"] < 0.05  # a third of the labels is told wrong
    assert read_json(out / "evaluations.json")["evaluations"] == [found]


def test_the_rows_are_a_comparison_of_the_same_models(out, other):
    evaluate(out, str(other), annotations="votes", slices=["year"], **COLUMNS)
    board = Board.load(out / "evaluations" / "later")
    own = Board.load(out)
    assert [row["val"] for row in board.rows] == [row["val"] for row in own.rows]
    assert board.leaderboard["split"]["test"] == 200 and board.verdict.winner == ("tfidf", None)
    frame = board.predictions("tfidf")
    score = next(row for row in board.rows if row["strategy"] == "tfidf")["test"]["accuracy"]["value"]
    assert score == pytest.approx(accuracy_score(frame["truth"], frame["prediction"]))
    assert board.model("tfidf").predict("good")[0].label == own.model("tfidf").predict("good")[0].label
    names = [one["name"] for one in board.leaderboard["slices"]["dimensions"]]
    assert "year" in names and any("agreement" in name for name in names)
    again = slices(out / "evaluations" / "later", ["year"])  # its configuration names what it was made of
    assert [one["rows"] for one in again["slices"]["dimensions"][names.index("year")]["slices"]] == [100, 100]


def test_rows_that_were_seen_are_left_out_and_counted(out, made, tmp_path):
    first = [json.loads(line) for line in (made / "rows.jsonl").read_text().splitlines()]
    seen = {key for part in ("train", "val") for key in read_json(out / "split.json")["parts"][part]}
    new = [{**row, "text": f"{row['text']} {row['key']}"} for row in rows(80, 2)]
    file = write(tmp_path / "mixed.jsonl", [*first, *new])
    found = evaluate(out, file)
    assert found["rows"] == len(first) - len(seen) + len(new)
    assert any(
        "left out" in note and f"{len(seen):,} with a text of theirs" in note for note in found["notes"]
    )
    with pytest.raises(DataError, match="all of its rows are among"):
        evaluate(out, write(tmp_path / "seen.jsonl", [row for row in first if row["key"] in seen]))
    assert not (out / "evaluations" / "seen").exists()


def test_several_stand_side_by_side_until_a_model_is_another_one(out, other, tmp_path):
    evaluate(out, str(other), **COLUMNS)
    evaluate(out, write(tmp_path / "second.jsonl", rows(60, 3)), strategies=["tfidf"])
    found = Board.load(out).leaderboard["evaluations"]
    assert [one["name"] for one in found] == ["later", "second"]
    assert [line["strategy"] for line in found[1]["strategies"]] == ["tfidf"]
    page = (out / "report.html").read_text()
    assert "evaluations/later/report.html" in page and "On other rows" in page
    result = out / "runs" / "tfidf@none#0" / "result.json"
    changed = json.loads(result.read_text())
    changed["files"]["history.jsonl"] = "0" * 64
    result.write_text(json.dumps(changed))
    publish(out)
    assert [one["strategies"][0]["strategy"] for one in Board.load(out).leaderboard["evaluations"]] == [
        "majority"
    ]


def test_a_frame_is_kept_as_a_file(out):
    pandas = pytest.importorskip("pandas")
    board = Board.load(out).evaluate(pandas.DataFrame(rows(60, 4)), "frame")
    assert board.leaderboard["split"]["test"] == 60
    named_in = read_config(out / "evaluations" / "frame" / "config.yaml").data.other_test
    assert named_in.source.endswith("evaluations/frame.parquet")


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"label": "nope"}, DataError, "nope"),
        ({"strategies": ["lora"]}, ConfigError, "lora"),
        ({"name": "../up"}, ConfigError, "no name of a folder"),
        ({"unknown": "wrong"}, ConfigError, "unknown"),
        ({"text_pair": "votes"}, ConfigError, "the task has no text_pair"),
        ({"label": "year"}, DataError, "2000"),
        ({"slices": ["colour"]}, ConfigError, "colour"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(out, other, change, error, says):
    with pytest.raises(error, match=says):
        evaluate(out, str(other), **{**COLUMNS, **change})
    assert not (out / "evaluations").exists() and not (out / "evaluations.json").exists()


def test_another_comparison_is_refused(out, other, made):
    split = read_json(out / "split.json")
    (out / "split.json").write_text(json.dumps({**split, "fingerprint": "0" * 64}))
    with pytest.raises(ArtifactError):
        evaluate(out, str(other), **COLUMNS)


def test_the_command_shows_both_scores(out, other):
    ran = CliRunner().invoke(app, ["evaluate", str(out), str(other), "--text", "sentence", "--label", "gold"])
    assert ran.exit_code == 0, ran.output
    assert "own test rows" in ran.output and "tfidf" in ran.output and "* clear" in ran.output
    ran = CliRunner().invoke(
        app, ["evaluate", str(out), str(other), "--text", "sentence", "--label", "gold", "--json"]
    )
    assert json.loads(ran.output)["rows"] == 200
