"""slices: numbers of a finished comparison against scikit-learn, and a planted bad slice that is found."""

from __future__ import annotations

import json
import random
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, mean_absolute_error
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.comparison import run_comparison
from stratune.comparison.slices import slices
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError
from stratune.evaluate.multiple import holm
from stratune.report import publish

WORDS = ["paper", "river", "stone", "window", "garden", "table", "music", "morning", "letter", "bridge"]
TOLD = {"yes": ["good", "fine", "great"], "no": ["bad", "poor", "awful"]}


def rows(count=900, planted=True, seed=0):
    """The label stands in the text, except, where it is `planted`, in rows with the word refund."""
    draws = random.Random(seed)
    for number in range(count):
        label = draws.choice(["yes", "no"])
        words = [draws.choice(WORDS) for _ in range(draws.randint(4, 20))]
        refund = draws.random() < 0.2
        chance = 0.5 if refund and planted else 0.0 if planted else 0.15
        told = {"yes": "no", "no": "yes"}[label] if draws.random() < chance else label
        text = " ".join([*words, draws.choice(TOLD[told]), *(["refund"] if refund else [])])
        yield {
            "id": f"row {number}",
            "text": text,
            "label": label,
            "source": draws.choice(["web", "web", "phone"]),
            "age": draws.randint(18, 80),
            "day": f"20{draws.randint(19, 21)}-0{draws.randint(1, 9)}-11",
            "votes": [label if draws.random() < 0.8 else draws.choice(["yes", "no"]) for _ in range(5)],
        }


def compared(place, table, task=None, strategies=("tfidf", "majority"), **more):
    (place / "rows.jsonl").write_text("\n".join(map(json.dumps, table)))
    data = {"source": str(place / "rows.jsonl"), "fractions": [0.4, 0.3, 0.3], "near": "apart"}
    config = {"data": data, "strategies": list(strategies), "task": {"id": "id", **(task or {})}, **more}
    list(run_comparison(parse_config(config), place / "out", engine=InlineEngine(), anyway=True))
    return place / "out"


@pytest.fixture(scope="module")
def table():
    return list(rows())


@pytest.fixture(scope="module")
def out(tmp_path_factory, table):
    return compared(tmp_path_factory.mktemp("planted"), table, {"annotations": "votes"})


@pytest.fixture(scope="module")
def plain(tmp_path_factory, table):
    """A folder with rows.jsonl and the comparison out, in which nothing was asked for."""
    return compared(tmp_path_factory.mktemp("plain"), table, strategies=["tfidf"]).parent


@pytest.fixture
def copied(plain, tmp_path):
    return shutil.copytree(plain, tmp_path / "copied") / "out"


@pytest.fixture(scope="module")
def found(out):
    return slices(out, ["source", "age=30/60", "day"], protected=["source"])


def answers(out, table, strategy="tfidf"):
    """Test rows in the order of the split, with the data's columns."""
    (path,) = (out / "runs").glob(f"{strategy}*/predictions.parquet")
    predicted = pd.read_parquet(path).query("part == 'test'").drop(columns="annotations", errors="ignore")
    return predicted.merge(pd.DataFrame(table).drop(columns="label"), on="id", validate="one_to_one")


def dimension(found, name, strategy="tfidf"):
    """Slice -> its cell, of one strategy."""
    one = found["slices"]
    place = [by["name"] for by in one["dimensions"]].index(name)
    (line,) = [line for line in one["strategies"] if line["strategy"] == strategy]
    names = [piece["name"] for piece in one["dimensions"][place]["slices"]]
    return dict(zip(names, line["dimensions"][place], strict=True))


def f1(some):
    return f1_score(some["truth"], some["prediction"], average="macro")


def test_scores_of_slices_are_those_of_the_rows(out, table, found):
    test = answers(out, table)
    for name, of in {
        "source": test["source"],
        "day": test["day"].str[:4],
        "age": pd.cut(test["age"], [0, 29, 59, 99], labels=["below 30", "30 to below 60", "60 and above"]),
    }.items():
        cells = dimension(found, name)
        assert set(cells) == set(of)
        for value, cell in cells.items():
            inside = of == value
            assert cell["rows"] == inside.sum()
            assert cell["value"] == pytest.approx(f1(test[inside]))
            assert cell["difference"]["difference"] == pytest.approx(f1(test[inside]) - f1(test[~inside]))
            assert cell["estimate"]["low"] < cell["value"] < cell["estimate"]["high"]


def test_labels_are_scored_by_accuracy_and_lengths_are_quarters(out, table, found):
    test = answers(out, table)
    for label, cell in dimension(found, "label").items():
        own = test[test["truth"] == label]
        assert cell["value"] == pytest.approx(accuracy_score(own["truth"], own["prediction"]))
    words = test["text"].str.split().str.len()
    lengths = dimension(found, "length in words")
    assert sum(cell["rows"] for cell in lengths.values()) == len(test)
    for name, cell in lengths.items():
        low, high = map(int, name.split(" to "))
        own = test[words.between(low, high)]
        assert (cell["rows"], cell["value"]) == (len(own), pytest.approx(f1(own)))


def test_agreement_is_the_share_of_the_majority(out, table, found):
    test = answers(out, table)
    share = test["votes"].map(lambda given: max(given.count("yes"), given.count("no")) / len(given))
    cells = dimension(found, "agreement of the annotators")
    assert set(cells) == {"unanimous", "contested", "very contested"}
    for name, own in {
        "unanimous": share == 1,
        "contested": share.between(2 / 3, 0.99),
        "very contested": share < 2 / 3,
    }.items():
        assert (cells[name]["rows"], cells[name]["value"]) == (own.sum(), pytest.approx(f1(test[own])))
    (line,) = [line for line in found["slices"]["strategies"] if line["strategy"] == "tfidf"]
    sure = test[["score_yes", "score_no"]].max(axis=1)
    assert line["confidence"]["spearman"]["value"] == pytest.approx(spearmanr(sure, share).statistic)
    for point in line["confidence"]["points"]:
        own = sure[np.isclose(share, point["share"])]
        assert (point["rows"], point["value"]) == (len(own), pytest.approx(own.mean()))


def test_slices_of_one_label_are_scored_by_accuracy(tmp_path, table):
    """F1 of a label that no row of the slice has would be 0."""
    told = [{**row, "stars": 5 if row["label"] == "yes" else 1} for row in table]
    out = compared(tmp_path, told, strategies=["tfidf"])
    found = slices(out, ["stars", "source"])
    assert {by["name"]: by["metric"] for by in found["slices"]["dimensions"]} == {
        "label": "accuracy", "length in words": "f1_macro", "stars": "accuracy", "source": "f1_macro",
    }  # fmt: skip
    test = answers(out, told)
    for stars, cell in dimension(found, "stars").items():
        own = test[test["stars"] == int(stars)]
        assert cell["value"] == pytest.approx(accuracy_score(own["truth"], own["prediction"]))


def test_p_values_are_adjusted_within_the_slices_of_a_strategy(found):
    for line in found["slices"]["strategies"]:
        cells = [cell["difference"] for some in line["dimensions"] for cell in some if cell["difference"]]
        assert [one["p_adjusted"] for one in cells] == holm([one["p"] for one in cells])
        assert len(cells) > 10


def test_the_winner_and_the_second_are_compared_on_each_slice(out, table, found):
    order = found["slices"]["order"]
    assert (order["first"]["strategy"], order["second"]["strategy"]) == ("tfidf", "majority")
    test, other = answers(out, table), answers(out, table, "majority")
    place = [by["name"] for by in found["slices"]["dimensions"]].index("source")
    names = [piece["name"] for piece in found["slices"]["dimensions"][place]["slices"]]
    for name, cell in zip(names, order["dimensions"][place], strict=True):
        own = test["source"] == name
        assert cell["difference"]["difference"] == pytest.approx(f1(test[own]) - f1(other[own]))
        assert not cell["changes"]
    changes = [cell["changes"] for cell in order["dimensions"][0]]
    assert sorted(changes) == [False, True]  # majority knows one label by heart


def test_the_planted_slice_is_found_and_its_numbers_are_of_test(out, table, found):
    (line,) = [line for line in found["slices"]["strategies"] if line["strategy"] == "tfidf"]
    first = line["worst"]["found"][0]
    assert first["name"] == "the text has 'refund'"
    test = answers(out, table)
    own = test["text"].str.contains("refund")
    right = test["truth"] == test["prediction"]
    assert first["rows"] == own.sum()
    assert first["value"] == pytest.approx(right[own].mean())
    assert first["difference"]["difference"] == pytest.approx(right[own].mean() - right[~own].mean())
    assert first["difference"]["p_adjusted"] < 0.001 and first["val"]["p"] < 0.05
    (path,) = (out / "runs").glob("tfidf*/predictions.parquet")
    val = (
        pd.read_parquet(path)
        .query("part == 'val'")
        .merge(pd.DataFrame(table)[["id", "text"]], on="id", validate="one_to_one")
    )
    mine = val["text"].str.contains("refund")
    assert first["val"]["rows"] == mine.sum()
    assert first["val"]["wrong"] == pytest.approx((val["truth"] != val["prediction"])[mine].mean())
    majority = next(line for line in found["slices"]["strategies"] if line["strategy"] == "majority")
    assert majority["worst"] is None  # it reads no text


def test_none_is_found_in_data_without_one(tmp_path):
    found = slices(compared(tmp_path, list(rows(planted=False, seed=5)), strategies=["tfidf"]))
    (line,) = found["slices"]["strategies"]
    assert line["worst"]["found"] == [] and line["worst"]["singles"] >= 20


def test_rates_of_groups_are_those_of_the_confusion_matrix(out, table, found):
    test = answers(out, table)
    (column,) = found["fairness"]["columns"]
    line = next(line for line in found["fairness"]["strategies"] if line["strategy"] == "tfidf")
    for value, cells in zip(column["values"], line["columns"][0], strict=True):
        own = test[test["source"] == value["name"]]
        (tn, fp), (fn, tp) = confusion_matrix(own["truth"], own["prediction"], labels=["no", "yes"])
        wanted = {
            "error": (fp + fn) / len(own),
            "predicted[yes]": (fp + tp) / len(own),
            "false_positive[yes]": fp / (fp + tn),
            "false_negative[yes]": fn / (fn + tp),
            "calibration": own[["score_yes", "score_no"]].max(axis=1).mean() - (tp + tn) / len(own),
        }
        assert set(cells) == set(wanted)
        for name, number in wanted.items():
            assert cells[name]["value"] == pytest.approx(number)
            assert cells[name]["difference"]["p_adjusted"] >= cells[name]["difference"]["p"]
    smallest = min(column["values"], key=lambda one: one["rows"])
    assert f"{smallest['name']}, has {smallest['rows']} test rows" in column["visible"]


def test_the_files_and_the_page(out, found):
    board = json.loads((out / "leaderboard.json").read_text())
    assert board["slices"] == found["slices"] and board["fairness"] == found["fairness"]
    assert "slices.json" in json.loads((out / "stratune-comparison.json").read_text())["files"]
    page = (out / "report.html").read_text()
    shown = page.partition('<section id="slices">')[2].partition("</section>")[0]
    marked = [
        cell["difference"]["p_adjusted"] < 0.05
        for line in found["slices"]["strategies"]
        for some in line["dimensions"]
        for cell in some
        if cell["difference"]
    ]
    table = shown.partition("<table")[2].partition("</table>")[0]
    assert table.count('class="worse"') + table.count('class="better"') == sum(marked) < len(marked)
    assert "the text has" in shown and "refund" in shown and "rows that chose nothing" in shown
    assert 'id="fairness"' in page and (out / "plots" / "slices.svg").is_file()
    assert (out / "plots" / "confidence.svg").is_file()


def test_the_terminal(out, found):
    ran = CliRunner().invoke(app, ["slices", str(out), "--by", "source"])
    assert ran.exit_code == 0, ran.output
    assert "phone" in ran.output and "refund" in ran.output
    as_json = CliRunner().invoke(
        app, ["slices", str(out), "--by", "source", "--metric", "accuracy", "--json"]
    )
    assert json.loads(as_json.output)["slices"]["metric"] == "accuracy"
    slices(out, ["source", "age=30/60", "day"], protected=["source"])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"by": ["sorce"]}, r"^by: 'sorce' is not one of .*\(did you mean 'source'\?\)$"),
        ({"protected": ["gender"]}, r"^protected: 'gender' is not one of id, text, label, source"),
        ({"by": ["id"]}, r"^by: 'id' has no slices: it has 270 values on test"),
        ({"by": ["votes"]}, r"^by: 'votes' has no slices: its cells are lists"),
        ({"by": ["age=young"]}, r"^by: 'age=young': expected numbers between the bins"),
        ({"metric": "rmse"}, r"'rmse' is not one of"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(out, found, options, why):
    before = (out / "slices.json").read_bytes()
    with pytest.raises(ConfigError, match=why):
        slices(out, **options)
    assert (out / "slices.json").read_bytes() == before


def test_a_comparison_has_them_from_the_start_and_asks_by_configuration(tmp_path, table):
    place = tmp_path / "asked"
    place.mkdir()
    asked = compared(place, table, report={"slices": ["source"], "protected": ["age=30/60"]})
    board = json.loads((asked / "leaderboard.json").read_text())
    assert [by["name"] for by in board["slices"]["dimensions"]] == ["label", "length in words", "source"]
    assert [one["name"] for one in board["fairness"]["columns"]] == ["age"]
    assert board["slices"]["strategies"][0]["worst"]["found"][0]["name"] == "the text has 'refund'"
    with pytest.raises(ConfigError, match=r"report\.slices: 'sorce' is not one of"):
        compared(tmp_path, table, report={"slices": ["sorce"]})
    assert not (tmp_path / "out").exists()


def test_without_a_word_only_what_costs_nothing_is_there_and_what_was_asked_for_later_stays(copied, table):
    out = copied
    board = json.loads((out / "leaderboard.json").read_text())
    assert [by["name"] for by in board["slices"]["dimensions"]] == ["label", "length in words"]
    assert all(line["worst"] is None for line in board["slices"]["strategies"]) and board["fairness"] is None
    slices(out, ["source"])
    compared(out.parent, table, strategies=["tfidf"])
    board = json.loads((out / "leaderboard.json").read_text())
    assert [by["name"] for by in board["slices"]["dimensions"]][-1] == "source"


def test_models_that_are_others_now_lose_what_was_found_on_their_validation(copied):
    assert slices(copied)["slices"]["strategies"][0]["worst"]
    path = next((copied / "runs").glob("tfidf*")) / "result.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps({**result, "files": {**result["files"], "predictions.parquet": "other"}}))
    assert publish(copied)["slices"]["strategies"][0]["worst"] is None


def test_data_that_changed_is_refused(copied, table):
    (copied.parent / "rows.jsonl").write_text("\n".join(map(json.dumps, table[1:])))
    with pytest.raises(ArtifactError, match="is not what it was made of any more"):
        slices(copied)


def test_no_word_of_a_text_leaves_where_none_may(tmp_path, table):
    out = compared(tmp_path, table, strategies=["tfidf"], report={"texts": 0})
    slices(out)
    assert not any(word in (out / "slices.json").read_text() for word in [*WORDS, "refund"])


def test_a_page_without_texts_names_no_word(copied):
    slices(copied)
    assert "refund" in (copied / "report.html").read_text()
    publish(copied, texts=0)
    page = (copied / "report.html").read_text()
    assert "refund" not in page and "a word of the texts, which are left out" in page


def test_groups_that_are_few_are_slices_without_intervals_of_single_ones(tmp_path, table):
    grouped = [{**row, "author": f"author {number % 12}"} for number, row in enumerate(table)]
    found = slices(compared(tmp_path, grouped, {"group": "author"}, strategies=["tfidf"]), ["source"])
    cells = dimension(found, "author")
    assert 1 < len(cells) < 12
    assert all(cell["value"] is not None and cell["estimate"] is None for cell in cells.values())
    assert all(cell["difference"] for cell in dimension(found, "source").values())


def others(count=400):
    draws = random.Random(1)
    for number in range(count):
        level = draws.randint(0, 3)
        words = " ".join(draws.choice(WORDS) for _ in range(6))
        labels = [name for name, has in zip("abc", (level > 0, level > 1, level % 2), strict=True) if has]
        yield {
            "id": f"row {number}",
            "text": f"{words} {['dull', 'plain', 'nice', 'superb'][level]}",
            "level": level,
            "score": level + draws.gauss(0, 0.3),
            "labels": labels,
            "source": draws.choice(["web", "phone"]),
        }


@pytest.mark.parametrize(
    ("kind", "label", "measures"),
    [
        ("regression", "score", {"bias", "mae"}),
        ("ordinal", "level", {"error", "calibration", "predicted[3]", "false_positive[0]"}),
        ("multilabel", "labels", {"error", "predicted[a]", "false_negative[c]"}),
    ],
)
def test_every_kind_of_task(tmp_path, kind, label, measures):
    table = list(others())
    out = compared(tmp_path, table, {"kind": kind, "label": label}, strategies=["tfidf"])
    found = slices(out, ["source"], protected=["source"])
    names = [by["name"] for by in found["slices"]["dimensions"]]
    assert names == [label, "length in words", "source"] or names == [label, "source"]
    assert measures <= set(found["fairness"]["measures"])
    assert all(cell["difference"] for cell in dimension(found, "source").values())
    (path,) = (out / "runs").glob("tfidf*/predictions.parquet")
    test = pd.read_parquet(path).query("part == 'test'").merge(pd.DataFrame(table)[["id", "source"]], on="id")
    web = test[test["source"] == "web"]
    place = [one["name"] for one in found["fairness"]["columns"][0]["values"]].index("web")
    cells = found["fairness"]["strategies"][0]["columns"][0][place]
    if kind == "regression":
        assert cells["mae"]["value"] == pytest.approx(mean_absolute_error(web["truth"], web["prediction"]))
        assert cells["bias"]["value"] == pytest.approx((web["prediction"] - web["truth"]).mean())
    else:
        assert cells["error"]["value"] == pytest.approx((web["truth"] != web["prediction"]).mean())


def test_a_damaged_file_is_one_line_with_the_way_on(copied):
    (copied / "slices.json").write_text('{"fingerprint": "x"}')
    with pytest.raises(
        ArtifactError, match=r"slices\.json: .*; remove it; `stratune slices` makes it again$"
    ):
        publish(copied)
    (copied / "slices.json").unlink()
    assert slices(copied, ["source"])["slices"]["strategies"][0]["worst"]["found"]
