"""A label that only the test file has, from the command line to the scores: each way on works."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.errors import DataError

WORDS = {"fruit": "red apple", "rail": "fast train", "ship": "deep sea"}


@pytest.fixture
def files(tmp_path):
    """Forty rows of fruit and rail to train, and a test file with four of each label."""
    for name, labels, rows in (("train", ("fruit", "rail"), 40), ("test", tuple(WORDS), 12)):
        lines = [
            f"{WORDS[labels[i % len(labels)]]} {name} {i},{labels[i % len(labels)]}" for i in range(rows)
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return tmp_path


def compared(files, labels=(), **data):
    """Strategy -> the test scores of its run, and the rows of predictions.parquet of tfidf."""
    sources = {"source": str(files / "train.csv"), "test": str(files / "test.csv"), **data}
    strategies = ["majority", "tfidf"]
    config = parse_config({"data": sources, "task": {"labels": labels}, "strategies": strategies})
    out = files / "out"
    results = {run.strategy: run for run in run_comparison(config, out, engine=InlineEngine())}
    assert [run.error for run in results.values()] == [None, None]
    rows = pq.read_table(next(out.glob("runs/tfidf*/predictions.parquet"))).to_pylist()
    return {name: run.test for name, run in results.items()}, [row for row in rows if row["part"] == "test"]


def warnings(files):
    issues = json.loads((files / "out" / "data.json").read_text())["issues"]
    return [issue["message"] for issue in issues if issue["level"] == "warning"]


def test_refused(files):
    with pytest.raises(
        DataError, match="'ship' is not one of fruit, rail, .* test has 4 such rows: name all labels"
    ):
        compared(files)
    assert not (files / "out").exists()


def test_dropped(files):
    scores, rows = compared(files, unknown="drop")
    assert scores["tfidf"]["accuracy"] == 1.0 and len(rows) == 8
    message = "test: 4 of 12 rows left out, their label is that of no training row: ship (4)"
    assert message in warnings(files)


def test_counted_as_wrong(files):
    scores, rows = compared(files, unknown="wrong")
    assert scores["tfidf"]["accuracy"] == pytest.approx(8 / 12) and len(rows) == 12
    assert {row["score_ship"] for row in rows} == {0.0}
    assert all(row["prediction"] in ("fruit", "rail") for row in rows)
    message = "test: 4 of 12 rows count as wrong, their label is that of no training row: ship (4)"
    assert message in warnings(files)


def test_named(files):
    scores, rows = compared(files, labels=("fruit", "rail", "ship"))
    assert scores["tfidf"]["accuracy"] == pytest.approx(8 / 12) and len(rows) == 12
    assert "train has no row of 1 label: ship" in warnings(files)


def test_the_board_says_each_thing_once(files):
    compared(files, labels=("fruit", "rail", "ship"))
    found = json.loads((files / "out" / "leaderboard.json").read_text())["warnings"]
    codes = [one["code"] for one in found]
    assert codes.count("few_rows") == 1 and "small_val" not in codes and "small_test" not in codes
    assert codes.count("label_without_rows") == 1 and "missing_class" not in codes  # validation has no ship
    assert "untrained_class" in codes
