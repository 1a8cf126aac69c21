"""Comparisons of ordinal, multilabel and regression tasks, from the folder to the page."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score, f1_score, root_mean_squared_error

from stratune.errors import ArtifactError
from stratune.report import leaderboard, plots, publish, tables
from stratune.report.comparison import load
from stratune.report.figures.residuals import running_mean
from stratune.target import TARGETS
from tests.report.synthetic import LABELS_OF, LEVELS, TOPICS, make
from tests.report.test_html import Page, page_of
from tests.report.test_leaderboard import by_strategy, printed
from tests.report.test_plots import BACKBONE, drawn, words

KINDS = ("ordinal", "multilabel", "regression")
SHOWN = {
    "ordinal": ["qwk", "accuracy", "mae_levels"],
    "multilabel": ["f1_macro", "subset_accuracy"],
    "regression": ["rmse", "pearson", "mae"],
}
ORACLES = {
    "ordinal": lambda truth, said: cohen_kappa_score(truth, said.argmax(1), weights="quadratic"),
    "multilabel": lambda truth, said: f1_score(truth, said >= 0.5, average="macro"),
    "regression": lambda truth, said: root_mean_squared_error(truth, said[:, 0]),
}


def of_kind(folder, kind, **options):
    return make(folder / "out", kind=kind, labels=LABELS_OF[kind], **options)


def rewritten(out, run, change):
    """predictions.parquet of one run, its rows (dicts) changed in place."""
    path = out / "runs" / run / "predictions.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_the_leaderboard_scores_the_kind(tmp_path, kind):
    comparison = load(of_kind(tmp_path, kind))
    board = leaderboard.build(comparison, resamples=100)
    metric = TARGETS[kind].default_metric
    assert board["metric"] == metric
    assert [row["strategy"] for row in board["rows"]] == ["full", "lora", "tfidf", "majority", "partial"]
    runs = next(entry for entry in comparison.entries() if entry.strategy == "lora").runs
    tests = [run.predictions["test"] for run in runs]
    value = by_strategy(board)["lora"]["test"][metric]
    assert value["value"] == pytest.approx(
        np.mean([ORACLES[kind](one.truth, one.predictions) for one in tests])
    )
    assert value["low"] < value["value"] < value["high"]


@pytest.mark.parametrize("kind", KINDS)
def test_tables_show_what_ranks_and_what_is_plain(tmp_path, kind):
    board = leaderboard.build(load(of_kind(tmp_path, kind)), resamples=20)
    assert tables.shown_metrics(board) == SHOWN[kind]
    board["metric"] = SHOWN[kind][-1]
    assert tables.shown_metrics(board).count(SHOWN[kind][-1]) == 1
    wide, narrow = printed(board, 140), printed(board, 80)
    assert "…" not in narrow and max(map(len, narrow.splitlines())) <= 80
    assert ("lower is better" in wide) == (SHOWN[kind][-1].startswith("mae"))


def test_the_metric_that_ranks_stays_where_it_is_narrow(tmp_path):
    board = leaderboard.build(load(of_kind(tmp_path, "ordinal", metric="accuracy")), resamples=20)
    assert printed(board, 60).count("accuracy") == 4  # val, test, the sentence and the caption


@pytest.mark.parametrize(
    "kind, there, absent",
    [
        ("ordinal", {f"confusion-lora@{BACKBONE}", "roc", "balance"}, {"labels"}),
        ("multilabel", {"labels", "roc", "balance"}, {"confusion-tfidf@none"}),
        ("regression", {f"predicted-lora@{BACKBONE}", "residuals-tfidf@none"}, {"roc", "balance", "labels"}),
    ],
)
def test_figures_are_those_of_the_kind(tmp_path, kind, there, absent):
    figures = drawn(of_kind(tmp_path, kind, seeds=(0,)))
    assert there | {"leaderboard", "cost", "learning"} <= set(figures)
    assert not absent & set(figures)
    assert drawn(tmp_path / "out") == figures  # the same bytes twice


def test_levels_stay_in_order(tmp_path):
    figure = drawn(of_kind(tmp_path, "ordinal", seeds=(0,)))["confusion-tfidf@none"]
    named = [word for word in words(figure) if word in LEVELS]
    assert named == [*LEVELS, *LEVELS]


def test_the_title_of_a_regression_says_what_the_leaderboard_says(tmp_path):
    out = of_kind(tmp_path, "regression")
    test = by_strategy(leaderboard.build(load(out), resamples=50))["full"]["test"]
    figures = drawn(out)
    title = f"full: r {test['pearson']['value']:.3f}, RMSE {test['rmse']['value']:.3f}"
    assert title in words(figures[f"predicted-full@{BACKBONE}"])
    floor = words(figures["predicted-majority@none"])  # a constant has no correlation
    assert any(word.startswith("majority: RMSE ") for word in floor)
    assert not any("running mean" in word for word in words(figures["residuals-majority@none"]))


def test_many_rows_become_cells(tmp_path):
    few = drawn(make(tmp_path / "few", kind="regression", labels=(), rows=100, seeds=(0,)))
    many = drawn(make(tmp_path / "many", kind="regression", labels=(), rows=2000, seeds=(0,)))
    stem = "predicted-tfidf@none"
    assert few[stem].count("<use") > 100 and many[stem].count("<use") < 800
    assert "PolyCollection" in many[stem] and "PolyCollection" not in few[stem]


def test_the_running_mean_is_of_neighbours():
    draws = np.random.default_rng(0)
    x, y = draws.normal(size=300), draws.normal(size=300)
    found_x, found_y = running_mean(x, y, 10, points=291)
    order = np.argsort(x)
    assert found_x[7] == pytest.approx(x[order][7:17].mean())
    assert found_y[290] == pytest.approx(y[order][290:300].mean())
    assert len(running_mean(x, y, 10)[0]) == 200


def test_each_label_has_a_bar_for_each_entry_and_few_entries_where_labels_are_many(tmp_path):
    figure = drawn(of_kind(tmp_path, "multilabel", seeds=(0,)))["labels"]
    assert set(TOPICS) | {"F1 of each label", "full", "majority"} <= set(words(figure))
    topics = tuple(f"topic {index}" for index in range(40))
    crowded = drawn(make(tmp_path / "crowded", kind="multilabel", labels=topics, seeds=(0,)))["labels"]
    assert "F1 of the 30 worst labels of 40, the best 3 strategies" in words(
        crowded
    ) and "majority" not in words(crowded)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_shows_where_it_errs(tmp_path, kind):
    out = of_kind(tmp_path, kind, seeds=(0,))
    publish(out)
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    text = " ".join(" ".join(page.words).split())
    assert page.open == []
    assert f"{kind} from review" in text
    assert (
        sum(tag == "svg" for tag, _ in page.tags)
        == {"ordinal": 4, "multilabel": 4, "regression": 2 + 8}[kind]
    )
    assert ("Where it errs" in text) == (kind != "multilabel")
    assert ("By label, on test" in text) == (kind != "regression")
    assert json.loads((out / "leaderboard.json").read_text())["task"]["kind"] == kind


def test_label_sets_are_read_by_name_and_none_is_an_answer(tmp_path):
    def change(rows):
        of_test = [row for row in rows if row["part"] == "test"]
        of_test[0] |= {"truth": "price,view", "prediction": ""}
        of_test[1] |= {"truth": "", "prediction": None}
        of_test[2]["prediction"] = "food,cheap"

    part = load(rewritten(of_kind(tmp_path, "multilabel"), "tfidf@none#0", change)).runs
    test = next(run for run in part if run.folder.name == "tfidf@none#0").predictions["test"]
    assert test.truth.shape == test.predictions.shape == (120, 6)
    assert test.truth[0].tolist() == [0, 0, 1, 0, 0, 1] and not test.truth[1].any()
    assert test.invalid[:4].tolist() == [False, True, True, False]


def test_an_answer_that_is_no_number_is_invalid_and_left_out_of_the_figures(tmp_path):
    def change(rows):
        for row in [row for row in rows if row["part"] == "test"][:12]:
            row["prediction"] = None

    out = rewritten(of_kind(tmp_path, "regression", seeds=(0,)), "tfidf@none#0", change)
    comparison = load(out)
    test = next(run for run in comparison.runs if run.result.strategy == "tfidf").predictions["test"]
    assert test.predictions.shape == (120, 1) and test.invalid.sum() == 12 and test.truth.dtype == np.float64
    board = leaderboard.build(comparison, resamples=20)
    filled = np.where(test.invalid, test.truth.mean(), test.predictions[:, 0])
    value = by_strategy(board)["tfidf"]["test"]["pearson"]["value"]
    assert value == pytest.approx(stats.pearsonr(test.truth, filled).statistic)
    said = words(plots.draw(comparison, board)["predicted-tfidf@none"])
    assert "true label (without 12 invalid answers)" in said


@pytest.mark.parametrize(
    "kind, truth, message",
    [
        ("ordinal", "good ", "truth of val row 'val-0': 'good ' is not one of poor, fair, good"),
        ("multilabel", "food,prise", "truth of val row 'val-0': 'prise' is not one of food, .*'price'"),
        ("regression", None, "truth of val row 'val-0': None is not a number"),
    ],
)
def test_a_truth_that_is_none_is_named(tmp_path, kind, truth, message):
    def change(rows):
        next(row for row in rows if row["id"] == "val-0")["truth"] = truth

    with pytest.raises(ArtifactError, match=message):
        load(rewritten(of_kind(tmp_path, kind, seeds=(0,)), "tfidf@none#0", change))


def test_a_page_without_any_result_of_a_regression_still_opens(tmp_path):
    out = of_kind(tmp_path, "regression", seeds=(0,))
    for folder in (out / "runs").iterdir():
        fields = json.loads((folder / "result.json").read_text())
        (folder / "result.json").write_text(json.dumps(fields | {"status": "failed", "error": "x"}))
    assert Page(page_of(out)).open == []
