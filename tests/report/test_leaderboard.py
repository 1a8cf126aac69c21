"""The leaderboard's content, order and three spellings."""

import csv
import json

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import f1_score

from stratune.report import leaderboard
from stratune.report.comparison import load
from stratune.report.terminal import table
from stratune.result import RunResult
from tests.report.synthetic import FAILED, ODD_LABELS, make

LORA = "runs/lora@sentence-transformers--all-MiniLM-L6-v2#{}/result.json"


def by_strategy(board):
    return {row["strategy"]: row for row in board["rows"]}


def printed(board, width):
    console = Console(width=width, record=True, file=open("/dev/null", "w"), color_system=None)  # noqa: PTH123, SIM115
    with console.file:
        console.print(table(board, width=width))
        return console.export_text()


def built(out):
    return leaderboard.build(load(out), resamples=50)


def test_rows_follow_the_contract(two_class):
    board = leaderboard.build(load(two_class))
    leaderboard.save(two_class, board)
    assert json.loads((two_class / "leaderboard.json").read_text()) == board
    assert list(board) == [
        "task",
        "metric",
        "split",
        "budget",
        "warnings",
        "caveats",
        "verdict",
        "pairs",
        "slices",
        "fairness",
        "rows",
    ]
    assert board["split"] == {"train": 360, "val": 120, "test": 120, "fingerprint": "f" * 64}
    assert board["budget"] == {"epochs": 4, "trials": 1}
    contract = """rank strategy backbone seeds status error val val_intervals test baseline floor conformal
        trainable_params total_params examples_seen peak_bytes artifact_bytes trials train_seconds
        train_rows_per_second predict_rows_per_second invalid label_mass precision tried price first tied near winner"""
    assert all(list(row) == contract.split() for row in board["rows"])
    lora = by_strategy(board)["lora"]
    assert lora["seeds"] == [0, 1, 2] and lora["status"] == "ok" and lora["error"] is None
    assert (
        lora["trainable_params"] == 74_498
        and lora["examples_seen"] == 1440
        and lora["precision"] == "bfloat16"
    )
    assert lora["train_seconds"] == pytest.approx(31.2 * 1.1)
    assert by_strategy(board)["majority"]["peak_bytes"] is None


def test_values_are_means_over_seeds_with_intervals_around(two_class):
    comparison = load(two_class)
    lora = by_strategy(leaderboard.build(comparison))["lora"]
    runs = next(entry for entry in comparison.entries() if entry.strategy == "lora").runs
    tests = [run.predictions["test"] for run in runs]
    expected = np.mean([f1_score(test.truth, test.predictions.argmax(1), average="macro") for test in tests])
    f1 = lora["test"]["f1_macro"]
    assert f1["value"] == pytest.approx(expected) and f1["low"] < f1["value"] < f1["high"]
    assert lora["val"]["f1_macro"] == pytest.approx(np.mean([run.result.val["f1_macro"] for run in runs]))


def test_ranked_by_validation_not_by_test(two_class):
    for seed in range(3):  # worst on validation by decree; test values come from the predictions
        result = RunResult.load(two_class / LORA.format(seed))
        result.val["f1_macro"] = 0.01
        result.save(two_class / LORA.format(seed))
    board = leaderboard.build(load(two_class))
    assert [(row["rank"], row["strategy"]) for row in board["rows"]] == [
        (1, "full"),
        (2, "tfidf"),
        (3, "majority"),
        (4, "lora"),
        (None, "partial"),
    ]


def test_a_metric_where_lower_is_better_ranks_the_other_way(tmp_path):
    board = leaderboard.build(load(make(tmp_path / "out", metric="log_loss", seeds=(0,))), resamples=20)
    losses = [row["val"]["log_loss"] for row in board["rows"] if row["rank"]]
    assert losses == sorted(losses)
    assert "ranked by validation log_loss (lower is better); test opened once; one seed" in printed(
        board, 120
    )


def test_a_failed_strategy_is_a_row_with_its_reason(two_class):
    board = leaderboard.build(load(two_class))
    last = board["rows"][-1]
    assert (last["rank"], last["strategy"], last["status"], last["error"]) == (
        None,
        "partial",
        "failed",
        FAILED[2],
    )
    assert last["seeds"] == [] and last["val"] == {} and last["test"] == {} and last["train_seconds"] is None


def test_a_strategy_that_failed_for_one_seed_counts_the_others(two_class):
    RunResult("lora", FAILED[1], 1, status="failed", error="killed (signal 9)").save(
        two_class / LORA.format(1)
    )
    board = leaderboard.build(load(two_class))
    lora = by_strategy(board)["lora"]
    assert lora["seeds"] == [0, 2] and lora["status"] == "ok" and lora["error"] == "seed 1: killed (signal 9)"
    assert "partly" in printed(board, 120)


def test_a_run_without_the_validation_metric_is_not_ranked(two_class):
    for seed in range(3):
        result = RunResult.load(two_class / LORA.format(seed))
        result.val = {}
        result.save(two_class / LORA.format(seed))
    rows = leaderboard.build(load(two_class))["rows"]
    assert [(row["rank"], row["strategy"]) for row in rows[-2:]] == [(None, "lora"), (None, "partial")]


def test_the_csv_says_the_same(odd):
    board = built(odd)
    leaderboard.save(odd, board)
    with (odd / "leaderboard.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["strategy"] for row in rows] == [row["strategy"] for row in board["rows"]]
    assert rows[0]["seeds"] == "0 1 2" and rows[-1]["error"] == FAILED[2]
    odd_metric = f"f1[{ODD_LABELS[0]}]"
    assert float(rows[0][f"test_{odd_metric}_low"]) == board["rows"][0]["test"][odd_metric]["low"]


def test_the_markdown_is_one_table_nothing_can_break_out_of(odd):
    board = built(odd)
    board["rows"][-1]["error"] = "a | b <script>\nnext"
    leaderboard.save(odd, board)
    lines = (odd / "leaderboard.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 5 and len({line.count("|") for line in table}) == 1
    assert "a \\| b &lt;script> next" in lines[-1]
    assert any("anked by validation f1_macro; test opened once; means over 3 seeds" in line for line in lines)


def test_the_terminal_table_fits_and_names_the_reason(odd):
    board = leaderboard.build(load(odd))
    for width in (60, 80, 100):  # costs leave the table one by one; the rest is not cut
        narrow = printed(board, width)
        assert max(map(len, narrow.splitlines())) <= width and "…" not in narrow
        assert "tfidf" in narrow and "310 kB" not in narrow
    text = printed(board, 120)
    assert max(map(len, text.splitlines())) <= 120 and "…" not in text
    assert "ranked by validation f1_macro; test opened once" in text
    assert "partial: out of memory: 5.1 GB wanted, 3.9 GB <free> [now]" in text  # brackets are not markup
    wide = printed(board, 180)
    assert "74.5 k" in wide and "1.2 GB" in wide and "310 kB" in wide


def test_two_backbones_get_a_column(tmp_path):
    board = leaderboard.build(
        load(make(tmp_path / "out", extra=(("lora", "smollm2", 1.0, 5, 2.0),))), resamples=20
    )
    assert len([row for row in board["rows"] if row["strategy"] == "lora"]) == 2
    text = printed(board, 120)
    assert "smollm2" in text and "backbone" in text and "…" not in text
    assert text.count("[.") == 5  # no interval is cut
    narrow = printed(board, 100)
    assert "all-MiniLM-L6-v2" in narrow and "disk" not in narrow and narrow.count("[.") == 5
