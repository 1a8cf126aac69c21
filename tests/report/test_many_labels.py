"""Two hundred labels: a page that opens, pictures of the worst ones, and CSV files with all of them."""

import csv
import io

import numpy as np
import pytest

from stratune.report import leaderboard, many_labels, plots, publish
from stratune.report.comparison import load
from tests.report.synthetic import make

LABELS = [f"intent {number}" for number in range(200)]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    out = make(tmp_path_factory.mktemp("many") / "out", labels=LABELS, rows=300, seeds=(0, 1))
    publish(out)
    return out


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_page_and_its_pictures_stay_small(many):
    assert (many / "report.html").stat().st_size < 1_500_000
    assert max(path.stat().st_size for path in (many / "plots").iterdir()) < 300_000


def test_a_picture_does_not_grow_with_the_labels(tmp_path):
    def cells(count):
        comparison = load(make(tmp_path / str(count), labels=LABELS[:count], rows=200, seeds=(0,)))
        drawn = plots.draw(comparison, leaderboard.build(comparison, resamples=10))
        return len(drawn["confusion-tfidf@none"]), len(drawn["balance"])

    for many, some in zip(cells(200), cells(100), strict=True):
        assert many < 1.2 * some


def test_the_page_shows_the_worst_labels_and_links_the_rest(many):
    page = (many / "report.html").read_text(encoding="utf-8")
    assert "The 30 labels with the lowest F1, of 200." in page
    for name in ("labels.csv", "labels-tfidf@none.csv", "confusion-tfidf@none.csv"):
        assert f'href="plots/{name}"' in page and (many / "plots" / name).is_file()
    assert "the most frequent confusions" in page
    drawn = (many / "plots" / "confusion-tfidf@none.svg").read_text(encoding="utf-8")
    assert "tfidf: the 30 labels with the lowest F1, of 200" in drawn
    assert "Class balance: the 30 with fewest rows, of 200" in page


def test_the_csv_of_a_strategy_has_every_label_as_the_leaderboard_has_it(many):
    rows = table(many / "plots" / "labels-tfidf@none.csv")
    board = leaderboard.build(load(many))
    tested = next(row for row in board["rows"] if row["strategy"] == "tfidf")["test"]
    assert [row["label"] for row in rows] == LABELS
    assert all(float(row["f1"]) == tested[f"f1[{row['label']}]"]["value"] for row in rows)
    assert sum(int(row["test_rows"]) for row in rows) == 300


def test_the_worst_labels_have_rows_and_the_lowest_f1(many):
    comparison = load(many)
    board = leaderboard.build(comparison, resamples=10)
    row = next(row for row in board["rows"] if row["strategy"] == "lora")
    positions = many_labels.shown(row, comparison)
    rows = comparison.balance["test"]
    scores = {label: row["test"][f"f1[{label}]"]["value"] for label in LABELS if rows[label]}
    shown = [LABELS[position] for position in positions]
    others = [scores[label] for label in scores if label not in shown]
    assert len(shown) == 30 and max(scores[label] for label in shown) <= min(others)


def test_the_pairs_are_the_confusion_matrix(many):
    entry = next(entry for entry in load(many).entries() if entry.strategy == "tfidf")
    parts = [run.predictions["test"] for run in entry.ok]
    expected = np.zeros((200, 200), dtype=int)
    for part in parts:
        np.add.at(expected, (part.truth, part.predictions.argmax(axis=1)), 1)
    found = np.zeros_like(expected)
    for row in table(many / "plots" / "confusion-tfidf@none.csv"):
        found[LABELS.index(row["truth"]), LABELS.index(row["prediction"])] = int(row["count"])
    assert (found == expected).all() and found.sum() == 600


def test_few_labels_are_all_on_the_page_and_need_no_csv(two_class):
    publish(two_class)
    assert not list((two_class / "plots").glob("*.csv"))
    assert "labels with the lowest F1" not in (two_class / "report.html").read_text(encoding="utf-8")


def test_many_label_sets_are_shown_by_their_worst_too(tmp_path):
    out = make(tmp_path / "out", labels=LABELS[:60], kind="multilabel", rows=80, seeds=(0,))
    publish(out)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "F1 of the 30 worst labels of 60" in page and len(page) < 1_500_000
    assert {path.name for path in (out / "plots").glob("*.csv")} >= {"labels.csv", "labels-lora@" + BACKBONE}


BACKBONE = "sentence-transformers--all-MiniLM-L6-v2.csv"


def test_a_cell_like_a_formula_is_text_in_a_spreadsheet():
    from stratune.report.human import spreadsheet

    assert [spreadsheet(cell) for cell in ("=1+1", "-2", "@x", "+a", "a=b", -2.0)] == [
        "'=1+1", "'-2", "'@x", "'+a", "a=b", -2.0,
    ]  # fmt: skip
    assert next(csv.reader(io.StringIO(spreadsheet("a\nb")))) == ["a b"]
