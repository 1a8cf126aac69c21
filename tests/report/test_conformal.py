"""Coverage of conformal sets on test, with its binomial interval; the figures of probabilities."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from stratune.evaluate.proportions import wilson
from stratune.evaluate.scales import student
from stratune.report import leaderboard
from stratune.report.comparison import load
from stratune.report.conformal import effective_rows
from tests.report.synthetic import LABELS_OF, make
from tests.report.test_plots import drawn, words


@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression"])
def test_each_row_tells_how_often_its_sets_hold_the_truth(kind, tmp_path):
    out = make(tmp_path / "out", kind=kind, labels=LABELS_OF[kind], rows=400, seeds=(0, 1))
    board = leaderboard.build(load(out), resamples=20)
    rows = {row["strategy"]: row["conformal"] for row in board["rows"] if row["status"] == "ok"}
    for found in rows.values():
        low, value, high = (found["covered"][key] for key in ("low", "value", "high"))
        assert found["asked"] == 0.9 and low <= value <= high
    assert rows["lora"]["covered"]["low"] <= 0.93 and rows["lora"]["covered"]["high"] >= 0.87
    assert rows["lora"]["mean_size"] < rows["tfidf"]["mean_size"]  # the better model has the smaller sets
    assert json.loads(json.dumps(board["rows"], allow_nan=False)) == board["rows"]


def test_too_few_validation_rows_make_no_promise(tmp_path):
    board = leaderboard.build(load(make(tmp_path / "out", rows=8, seeds=(0,))), resamples=20)
    assert all(row["conformal"] is None for row in board["rows"])


@pytest.mark.parametrize(("hits", "rows"), [(12, 12), (0, 5), (531, 600), (1, 30)])
def test_the_interval_is_wilsons(hits, rows):
    expected = binomtest(hits, rows).proportion_ci(method="wilson")
    low, high = wilson(np.array([hits / rows]), np.array([rows]), float(student(0.05, np.inf)))
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))


def test_rows_of_one_group_that_are_alike_count_as_fewer():
    right = np.repeat(np.random.default_rng(0).random(40) < 0.9, 25).astype(float)
    groups = np.repeat(np.arange(40), 25)
    assert effective_rows(right, None) == 1000
    assert effective_rows(right, groups) == pytest.approx(39, abs=1)
    alone = np.random.default_rng(1).random(1000) < 0.9
    assert effective_rows(alone.astype(float), groups) > 700


def test_reliability_is_drawn_of_labels_and_not_of_values(tmp_path):
    of_labels, of_values = (
        drawn(make(tmp_path / kind, kind=kind, labels=LABELS_OF[kind], seeds=(0,)))
        for kind in ("multilabel", "regression")
    )
    assert any("ECE" in one for one in words(of_labels["reliability-tfidf@none"]) if one)
    assert not any(stem.startswith(("reliability", "risk")) for stem in of_values)
    assert "risk_coverage" not in of_labels
