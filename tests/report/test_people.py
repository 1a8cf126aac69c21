"""Agreement with people, from the folder to the leaderboard, the tables and the page."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from stratune.errors import ArtifactError
from stratune.report import leaderboard, people, publish, tables
from stratune.report.comparison import load
from stratune.target import TARGETS
from tests.report.synthetic import LABELS_OF, make
from tests.report.test_html import Page, page_of
from tests.report.test_kinds import rewritten
from tests.report.test_leaderboard import by_strategy, printed
from tests.report.test_plots import drawn, words

KINDS = ("classification", "ordinal", "regression")


def rated(folder, kind, annotations="several", **options):
    return make(folder / "out", kind=kind, labels=LABELS_OF[kind], annotations=annotations, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_the_leaderboard_has_the_ceiling_and_every_row_beside_it(tmp_path, kind):
    board = leaderboard.build(load(rated(tmp_path, kind)), resamples=50)
    found = board["people"]
    assert found["rows"] == 120 and found["per_row"]["least"] == 3 and found["per_row"]["most"] == 5
    assert not found["identified"] and set(found["icc"]) == {"icc1", "icc1k"}
    assert found["alpha"]["level"] == TARGETS[kind].measurement
    first = next(iter(TARGETS[kind].agreement))
    ceiling = found["ceiling"][first]
    assert ceiling["low"] < ceiling["value"] < ceiling["high"]
    lora = by_strategy(board)["lora"]["with_people"]
    assert set(lora) == {"all", "others", "one"} and first in lora["all"]
    assert "with_people" not in by_strategy(board)["partial"]  # failed
    assert json.loads(json.dumps(board, allow_nan=False)) == board


def test_the_correlation_is_with_the_mean_of_the_raters_over_seeds(tmp_path):
    comparison = load(rated(tmp_path, "regression"))
    board = leaderboard.build(comparison, resamples=20)
    runs = next(entry for entry in comparison.entries() if entry.strategy == "lora").ok
    tests = [run.predictions["test"] for run in runs]
    each = [
        stats.pearsonr(one.predictions[:, 0], np.nanmean(one.ratings.values, axis=1)).statistic
        for one in tests
    ]
    assert by_strategy(board)["lora"]["with_people"]["all"]["pearson"]["value"] == pytest.approx(
        np.mean(each)
    )


def test_without_ratings_nothing_is_said(two_class):
    board = leaderboard.build(load(two_class), resamples=20)
    assert "people" not in board and all("with_people" not in row for row in board["rows"])
    assert people.line(board) is None and "one rater" not in printed(board, 120)
    assert "Agreement with people" not in page_of(two_class)
    assert "people" not in drawn(two_class)


def test_ratings_named_after_the_runs_were_done_are_not_missed(tmp_path):
    out = rated(tmp_path, "regression", seeds=(0,))
    for path in out.glob("runs/*/predictions.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(["annotations"]), path)
    assert "people" not in leaderboard.build(load(out), resamples=20)


def test_the_line_is_below_every_table(tmp_path):
    out = rated(tmp_path, "regression")
    board = publish(out)
    line = people.line(board)
    assert line.startswith("one rater against the others: r 0.") and ", ICC " in line and ", MAE " in line
    assert "one rater against the others: r 0." in printed(board, 140)
    assert f"O{line[1:]}." in tables.to_markdown(board)
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    text = " ".join(" ".join(page.words).split())
    assert page.open == []
    assert f"O{line[1:]}." in text and "Agreement with people" in text
    assert "120 rows of test with 3 to 5 (mean" in text and "raters not told apart" in text


def test_raters_who_are_told_apart_have_columns_of_their_own(tmp_path):
    board = leaderboard.build(load(rated(tmp_path, "ordinal", "ann+bob+<cy>")), resamples=20)
    assert board["people"]["identified"] and "icc2" in board["people"]["icc"]
    heads, lines = people.table(board)
    assert heads[-3:] == [f"weighted kappa with {name}" for name in ("ann", "bob", "<cy>")]
    assert [line[0] for line in lines][:2] == ["one rater", "full@sentence-transformers/all-MiniLM-L6-v2"]
    assert {len(line) for line in lines} == {len(heads)}
    assert lines[0][1] == "-" and lines[0][3] != "-" and lines[1][-1] != "-"
    assert "3 ratings each, raters told apart" in people.facts(board)


def test_the_figure_shows_models_and_the_ceiling(tmp_path):
    out = rated(tmp_path, "regression", seeds=(0,))
    figure = drawn(out)["people"]
    value = leaderboard.build(load(out))["people"]["ceiling"]["pearson"]["value"]
    assert f"one rater against the others: {value:.3f}" in words(figure)
    assert {"full", "tfidf", "r with the mean of the raters, 95 % interval"} <= set(words(figure))
    assert "majority" not in words(figure)  # a constant correlates with nobody
    assert drawn(out)["people"] == figure


def test_rows_with_one_rating_have_no_ceiling_and_the_page_still_opens(tmp_path):
    def change(rows):
        for row in rows:
            row["annotations"] = row["annotations"][:1]

    out = rated(tmp_path, "regression", seeds=(0,))
    for run in (out / "runs").iterdir():
        if (run / "predictions.parquet").exists():
            rewritten(out, run.name, change)
    board = publish(out)
    assert board["people"]["ceiling"] == {} and board["people"]["alpha"] is None
    assert people.line(board) is None
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    assert page.open == [] and "the agreement of one rater with the others is not known" in " ".join(
        " ".join(page.words).split()
    )


def test_a_rating_that_is_no_label_is_named(tmp_path):
    def change(rows):
        next(row for row in rows if row["id"] == "test-0")["annotations"] = ["poor", "prise"]

    with pytest.raises(ArtifactError, match="ratings of test row 'test-0': 'prise' is not one of poor"):
        load(rewritten(rated(tmp_path, "ordinal", seeds=(0,)), "tfidf@none#0", change))


def test_a_comparison_without_any_rating_in_the_test_part(tmp_path):
    def change(rows):
        for row in rows:
            row["annotations"] = []

    out = rated(tmp_path, "regression", seeds=(0,))
    for run in (out / "runs").iterdir():
        if (run / "predictions.parquet").exists():
            rewritten(out, run.name, change)
    assert pq.read_table(out / "runs" / "tfidf@none#0" / "predictions.parquet").schema.field(
        "annotations"
    ).type == pa.list_(pa.float64())
    board = publish(out)
    assert "people" not in board
