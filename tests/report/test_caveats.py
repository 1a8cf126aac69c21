"""Warnings above the leaderboard, and marks at scores that say little: in the terminal, Markdown and the page."""

import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from stratune.data.predictions import Predictions
from stratune.report import caveats, publish
from stratune.report.screen import screen
from stratune.report.terminal import table
from stratune.target import target_of
from tests.report.synthetic import make


def issue(level, code, message):
    return {"level": level, "code": code, "message": message, "count": 1, "examples": []}


def with_data(out, issues, **more):
    (out / "data.json").write_text(json.dumps({"issues": issues, **more}))


def everywhere(out):
    """(leaderboard.json, what the terminal shows, Markdown, the page)"""
    board = publish(out)
    page = io.StringIO()
    screen(file=page, width=400).print(table(board, width=400))
    stored = json.loads((out / "leaderboard.json").read_text())
    assert stored == board
    return board, page.getvalue(), (out / "leaderboard.md").read_text(), (out / "report.html").read_text()


def place(page, *words):
    """Where each stands, in order."""
    found = [page.index(word) for word in words]
    assert found == sorted(found), words
    return found


def test_findings_of_the_data_check_stand_above_the_board_the_gravest_first(two_class):
    issues = [
        issue("info", "dull", "nothing to worry about"),
        issue("warning", "duplicate_text", "3 rows repeat [an earlier] <text>"),
        issue("error", "leak", "90 rows of test have a text that is also in train"),
    ]
    with_data(two_class, issues)
    board, terminal, markdown, page = everywhere(two_class)
    assert [(one["level"], one["code"]) for one in board["warnings"]] == [
        ("error", "leak"),
        ("warning", "duplicate_text"),
    ]
    place(terminal, "error: 90 rows of test", "warning: 3 rows repeat [an earlier] <text>", "strategy")
    place(markdown, "error: 90 rows of test", "warning: 3 rows repeat [an earlier] &lt;text>", "| rank")
    place(
        page, "error: 90 rows of test", "warning: 3 rows repeat [an earlier] &lt;text&gt;", "Which strategy"
    )
    assert "nothing to worry" not in terminal and "nothing to worry" not in markdown


def test_a_board_that_went_on_in_spite_of_errors_says_so_first(two_class):
    with_data(two_class, [issue("error", "leak", "test is train")], ok=False, anyway=True)
    board, terminal, markdown, page = everywhere(two_class)
    assert board["anyway"] is True
    marked = "went on with --anyway: the data check found 1 error"
    assert terminal.lstrip().startswith(marked)
    assert markdown.startswith(f"- {marked}")
    place(page, "<main>", marked, "error: test is train", "<h1>")


def test_many_warnings_are_counted_in_the_terminal_and_kept_in_the_file(two_class):
    with_data(two_class, [issue("warning", "odd", f"finding number {number}") for number in range(200)])
    board, terminal, markdown, page = everywhere(two_class)
    assert len(board["warnings"]) == 200
    assert terminal.count("finding number") == 7 and "and 193 more; leaderboard.json has all" in terminal
    assert markdown.count("finding number") == 39 and "and 161 more" in markdown and "and 161 more" in page


def test_without_findings_nothing_stands_above(two_class):
    with_data(two_class, [])
    board, terminal, markdown, page = everywhere(two_class)
    assert board["warnings"] == [] and board["caveats"] == {"val": [], "test": []} and "anyway" not in board
    assert "warning" not in terminal and markdown.startswith("Use `") and 'class="notices"' not in page
    assert "val*" not in terminal and "test*" not in terminal


def test_few_rows_are_said_where_the_score_is_read(tmp_path):
    board, terminal, markdown, page = everywhere(make(tmp_path / "out", rows=12, seeds=(0,)))
    said = "validation has 12 rows: one row moves a share by 8%, so scores are mostly chance"
    assert [one["code"] for one in board["caveats"]["val"]] == ["few_rows", "label_with_few_rows"]
    for shown in (terminal, page):
        assert f"* warning: {said}" in shown
    assert f"\\* warning: {said}" in markdown and "val\\* f1_macro" in markdown
    assert "val*" in terminal and "test*" in terminal and "test* f1_macro" in page


def test_few_groups_are_said(tmp_path):
    out = make(tmp_path / "out", labels=("a", "b"), groups=True, seeds=(0,))
    for path in out.glob("runs/*/predictions.parquet"):
        rows = pq.read_table(path)
        groups = [f"film {number % 4}" for number in range(len(rows))]
        pq.write_table(rows.set_column(rows.column_names.index("group"), "group", [groups]), path)
    board, terminal, _, _ = everywhere(out)
    found = board["caveats"]["test"]
    assert [one["code"] for one in found] == ["few_groups"]
    assert found[0]["message"] == "test has 4 groups: intervals over fewer than 10 groups are rough"
    assert found[0]["message"] in terminal


@pytest.mark.parametrize("kind", ["classification", "ordinal", "multilabel"])
def test_a_label_without_a_row_is_named_and_the_score_is_marked(tmp_path, kind):
    out = make(tmp_path / "out", labels=("good", "bad", "never"), kind=kind, seeds=(0,))
    for path in out.glob("runs/*/predictions.parquet"):
        rows = pq.read_table(path)
        without = [
            name if part == "val" else ",".join(one for one in name.split(",") if one != "never") or other
            for name, part, other in zip(
                rows["truth"].to_pylist(),
                rows["part"].to_pylist(),
                ["" if kind == "multilabel" else "bad"] * len(rows),
                strict=True,
            )
        ]
        pq.write_table(rows.set_column(rows.column_names.index("truth"), "truth", [without]), path)
    board, terminal, _, page = everywhere(out)
    (found,) = board["caveats"]["test"]
    assert found["code"] == "label_without_rows" and board["caveats"]["val"] == []
    assert (
        found["message"]
        == "1 label has no test row (never): macro means leave out what is neither true nor predicted"
    )
    assert found["message"] in terminal and found["message"] in page
    assert "test*" in terminal and "val*" not in terminal


def test_numbers_have_no_labels_to_miss(tmp_path):
    board, *_ = everywhere(make(tmp_path / "out", labels=(), kind="regression", rows=150, seeds=(0,)))
    assert board["caveats"] == {"val": [], "test": []}


def test_labels_with_a_row_or_two_are_counted_and_three_are_named():
    target = target_of("classification", [f"label{number}" for number in range(6)])
    truth = np.repeat(np.arange(6), [30, 5, 4, 3, 2, 1])
    part = Predictions(truth, np.eye(6)[truth], np.zeros(45, bool), truth, np.zeros(45, int), groups=None)
    (found,) = caveats.of_part("test", part, target)
    assert found["code"] == "label_with_few_rows"
    assert found["message"].startswith(
        "4 labels have fewer than 5 test rows (label2, label3, label4 and 1 more): "
    )


def test_errors_of_which_a_few_rows_make_most_are_told_and_ordinary_ones_are_not():
    draws = np.random.default_rng(0)
    truth, usual = draws.normal(size=200), draws.normal(size=200)
    far = np.where(np.arange(200) < 3, 20.0, usual)
    normal, heavy = (
        Predictions(
            truth,
            (truth + error)[:, None],
            np.zeros(200, bool),
            truth + error,
            np.zeros(200, int),
            groups=None,
        )
        for error in (usual, far)
    )
    assert caveats.heavy_tails("test", [normal]) == []
    (found,) = caveats.heavy_tails("test", [normal, heavy])
    share = np.sort(far**2)[-10:].sum() / (far**2).sum()
    assert found["message"].startswith(f"test: 5% of the rows make {share:.0%} of the squared error")
