"""A metric that validation leaves undefined costs a row its rank, and no comparison its end."""

import json
from dataclasses import replace

import numpy as np
import pytest

from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.generalisation_gap import measure_gap
from stratune.config import parse_config
from stratune.data.read import read
from stratune.engine.inline import InlineEngine
from stratune.errors import TrainingError
from stratune.prompt.trial import prompt_trial, spread
from stratune.target import target_of
from stratune.task import Task
from tests.helpers import trained
from tests.test_kinds import rows_of, split_of


def compared(folder, strategies, task, backbone="minilm", **data):
    """Results of a comparison in `folder`/out, and its leaderboard."""
    config = parse_config(
        {
            "data": {"source": str(folder / "rows.csv"), **data},
            "task": task,
            "strategies": strategies,
            "backbones": [str(backbone)],
            "budget": {"epochs": 2},
        }
    )
    results = list(run_comparison(config, folder / "out", engine=InlineEngine()))
    return results, json.loads((folder / "out" / "leaderboard.json").read_text(encoding="utf-8"))


def write(path, rows):
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")


@pytest.fixture
def values(tmp_path):
    write(tmp_path / "rows.csv", [(row["text"], row["label"]) for row in rows_of("regression", 80)])
    return tmp_path


@pytest.fixture
def moods(tmp_path):
    """Two moods, and validation rows of one of them."""
    write(
        tmp_path / "rows.csv",
        [(f"a {('bad', 'good')[i % 2]} pan {i}", ("bad", "good")[i % 2]) for i in range(60)],
    )
    write(tmp_path / "val.csv", [(f"calm pan {i}", "good") for i in range(15)])
    return tmp_path


def test_a_constant_has_no_correlation_and_no_rank(values):
    task = {"kind": "regression", "metric": "pearson"}
    results, board = compared(values, ["mean", "tfidf", "ensemble"], task)
    assert [result.status for result in results] == ["ok"] * 3
    rows = {row["strategy"]: row for row in board["rows"]}
    assert board["rows"][-1]["strategy"] == "mean" and rows["mean"]["rank"] is None
    assert rows["tfidf"]["rank"] in (1, 2) and "unranked" not in rows["tfidf"]
    why = "pearson is undefined: every answer to validation is the same"
    assert rows["mean"]["unranked"] == why
    assert results[0].notes == [why] and results[1].notes == []
    markdown = (values / "out" / "leaderboard.md").read_text(encoding="utf-8")
    assert f"Mean has no rank: {why}." in markdown
    assert why in (values / "out" / "report.html").read_text(encoding="utf-8")
    assert f"mean has no rank: {why}" in " ".join(str(Board.load(values / "out")).split())


def test_training_goes_on_where_validation_has_one_class(moods, tiny):
    probe = {"preset": "probe", "learning_rate": 3e-3}
    own = str(moods / "val.csv")
    results, board = compared(moods, [probe, "majority"], {"metric": "roc_auc"}, tiny("bert"), val=own)
    assert [result.status for result in results] == ["ok", "ok"]
    why = "roc_auc is undefined: validation has only 'good'"
    assert [(row["rank"], row["unranked"]) for row in board["rows"]] == [(None, why)] * 2
    lines = (moods / "out/runs").glob("probe*/history.jsonl")
    history = [json.loads(line) for path in lines for line in path.read_text().splitlines()]
    assert len(history) == 2 and {line["val"] for line in history} == {None}
    best = min(history, key=lambda line: line["val_loss"])  # the loss alone decides
    assert results[0].best_epoch == best["epoch"]
    printed = " ".join(str(Board.load(moods / "out")).split())
    assert printed.count(why) == 1 and f"no row has a rank: {why}" in printed
    assert Board.load(moods / "out").best.predict(["a good pan"])[0].label in ("bad", "good")


def test_the_best_seed_is_one_whose_metric_is_defined(values, monkeypatch):
    compared(values, ["tfidf"], {"kind": "regression", "metric": "pearson"})
    board = Board.load(values / "out")
    row = board.rows[0] | {"seeds": [0, 1]}
    second = values / "out/runs/tfidf@none#1"
    second.mkdir()
    first = json.loads((values / "out/runs/tfidf@none#0/result.json").read_text())
    (second / "result.json").write_text(json.dumps(first | {"val": {"rmse": 1.0}}))
    assert board._best_seed(row) == 0
    first["val"]["pearson"] -= 2.0  # worse than any, and yet a number
    (values / "out/runs/tfidf@none#0/result.json").write_text(json.dumps(first))
    assert board._best_seed(row) == 0


def test_chunks_are_joined_where_the_metric_is_undefined(tiny):
    split = split_of("regression", metric="pearson")
    flat = split.val.remove_columns("label").add_column("label", ["15.0"] * len(split.val))
    spec = {"preset": "probe", "solved": False, "readout": {"long": {"way": "chunk", "window": 16}}}
    run = trained(spec, tiny("bert"), split=replace(split, val=flat), epochs=1)
    assert run.position.best_score is None and run.position.best_step > 0
    assert np.isfinite(run.predictor.predict_proba(split.test)).all()


def test_a_gap_of_an_undefined_metric_says_so():
    rows = [{"text": f"text {i}", "label": "2.5", "group": f"g{i % 6}", "id": str(i)} for i in range(48)]
    task = Task(kind="regression", group="group", metric="pearson")
    with pytest.raises(TrainingError, match="pearson is undefined: every value of random folds is 2.5"):
        measure_gap(read(rows), task, folds=3, repeats=1, strategy="mean")


def test_the_spread_of_prompts_leaves_out_what_is_undefined():
    selection = target_of("regression").selection("pearson")
    trials = [
        prompt_trial("plain", 0, "", 0, "none", val) for val in ({"pearson": 0.5}, {}, {"pearson": 0.25})
    ]
    assert "3 prompts tried: validation pearson 0.250 to 0.500, median 0.375" in spread(trials, selection)
    assert "validation pearson undefined; kept plain" in spread(trials[1:2], selection)


@pytest.mark.parametrize(
    ("kind", "labels", "truth", "predictions", "why"),
    [
        ("classification", "ab", [1, 1], [[0.1, 0.9], [0.4, 0.6]], "validation has only 'b'"),
        ("ordinal", "abc", [0, 2], [[0.2, 0.3, 0.5]] * 2, "every answer to validation is the same"),
        ("multilabel", "ab", [[1, 0], [1, 0]], [[0.1, 0.9], [0.4, 0.6]],
         "in validation every label stands in all rows or in none"),
        ("regression", "", [2.5, 2.5], [[1.0], [2.0]], "every value of validation is 2.5"),
        ("regression", "", [1.0, 2.5], [[1.0], [2.0]], "no value for validation"),
    ],
)  # fmt: skip
def test_why_it_is_undefined(kind, labels, truth, predictions, why):
    target = target_of(kind, tuple(labels))
    said = target.why_undefined("pearson", np.array(truth), np.array(predictions), "validation")
    assert said == f"pearson is undefined: {why}"
