"""schema: a comparison in which two labels mean the same, and one in which all labels differ."""

import json
import random
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.comparison import run_comparison
from stratune.comparison.schema import schema
from stratune.config import parse_config, read_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError
from stratune.files import read_json
from stratune.report import publish

WORDS = ["paper", "river", "stone", "window", "garden", "table", "music", "morning", "letter", "bridge"]
TOLD = {"glad": "happy", "merry": "happy", "angry": "furious", "sad": "weeping"}


def rows(count, same, seed=0):
    """`same`: the texts of glad and merry have one and the same word. Some texts tell nothing."""
    draws = random.Random(seed)
    for number in range(count):
        label = draws.choice(list(TOLD))
        word = TOLD[label] if same or label != "merry" else "laughing"
        words = [draws.choice(WORDS) for _ in range(draws.randint(5, 15))]
        told = [word] if draws.random() < 0.85 else []
        alike = {"angry": ["angry", "sad"], "sad": ["angry", "sad"]}.get(label, [label])
        yield {
            "text": " ".join([*words, *told, str(number)]),
            "label": label,
            "votes": [draws.choice(alike) for _ in range(4)],
        }


def compared(place, table, **task):
    place.mkdir()
    (place / "rows.jsonl").write_text("\n".join(map(json.dumps, table)))
    data = {"source": str(place / "rows.jsonl"), "fractions": [0.4, 0.4, 0.2], "near": "apart"}
    config = {"data": data, "strategies": ["tfidf", "majority"], "task": task}
    list(run_comparison(parse_config(config), place / "out", engine=InlineEngine(), anyway=True))
    return place / "out"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    place = tmp_path_factory.mktemp("schema") / "same"
    return compared(place, list(rows(600, same=True)), annotations="votes")


@pytest.fixture(scope="module")
def found(out):
    return schema(out)


def answers(out):
    (path,) = (out / "runs").glob("tfidf*/predictions.parquet")
    return pd.read_parquet(path).query("part == 'val'")


def test_the_two_labels_that_mean_the_same_are_found_and_advised(found):
    (line,) = found["strategies"]
    (pair,) = line["confused"]
    assert line["strategy"] == "tfidf" and pair["labels"] == ["glad", "merry"] and pair["advised"]
    mcc = pair["merge"]["mcc"]
    assert mcc["change"]["low"] > mcc["chance"] > -0.05 and mcc["change"]["p_adjusted"] < 0.001


def test_what_a_merge_changes_is_what_scikit_learn_measures(out, found):
    val = answers(out)
    names = ["angry", "glad", "merry", "sad"]
    scores = val[[f"score_{name}" for name in names]].to_numpy()
    summed = np.column_stack([scores[:, 0], scores[:, 1] + scores[:, 2], scores[:, 3]])
    answered = np.array(["angry", "both", "sad"])[summed.argmax(axis=1)]
    truth = val["truth"].replace({"glad": "both", "merry": "both"})
    merge = found["strategies"][0]["confused"][0]["merge"]
    for metric, score in (("accuracy", accuracy_score), ("mcc", matthews_corrcoef)):
        assert merge[metric]["before"] == pytest.approx(score(val["truth"], val["prediction"]))
        assert merge[metric]["after"] == pytest.approx(score(truth, answered))
        change = merge[metric]["change"]
        assert change["difference"] == pytest.approx(merge[metric]["after"] - merge[metric]["before"])
        assert change["low"] < change["difference"] < change["high"] and change["p_adjusted"] >= change["p"]


def test_counts_are_those_of_the_answers(out, found):
    val = answers(out)
    way = found["strategies"][0]["confused"][0]["there"]
    own = val[val["truth"] == "glad"]
    assert (way["rows"], way["wrong"]) == (len(own), (own["prediction"] != "glad").sum())
    assert way["taken"] == (own["prediction"] == "merry").sum()


def test_annotators_confuse_other_labels_than_the_model(found):
    (pair,) = found["annotators"]["confused"]
    assert pair["labels"] == ["angry", "sad"] and found["annotators"]["of"] == "tfidf"


def test_labels_that_differ_are_not_found(tmp_path):
    result = schema(compared(tmp_path / "differ", list(rows(400, same=False, seed=1))))
    assert result["strategies"][0]["confused"] == [] and result["annotators"] is None
    assert result["pairs"] == 6


def test_the_options_that_are_printed_do_the_merge(out, found):
    overrides = found["strategies"][0]["confused"][0]["override"]
    from stratune.comparison.source import split_of

    assert split_of(read_config(out / "config.yaml", overrides)).task.labels == (
        "angry",
        "glad or merry",
        "sad",
    )


def test_only_neighbours_of_a_scale_can_be_one_level(tmp_path):
    table = [{**row, "label": "1423"[list(TOLD).index(row["label"])]} for row in rows(400, same=True)]
    result = schema(compared(tmp_path / "scale", table, kind="ordinal"))
    assert result["pairs"] == 3 and result["strategies"][0]["confused"] == []  # 1 and 4 are confused


def test_page_and_terminal_tell_it_and_json_is_the_file(out, found):
    printed = CliRunner().invoke(app, ["schema", str(out)])
    assert printed.exit_code == 0, printed.output
    told = " ".join(printed.output.split())
    assert "to try glad and merry as one label:" in told and "data.relabel=" in told
    page = (out / "report.html").read_text()
    assert 'id="schema"' in page and "worth a try" in page and "data.relabel=" in page
    asked = CliRunner().invoke(app, ["schema", str(out), "--json"])
    assert json.loads(asked.stdout) == read_json(out / "schema.json") == found


def test_of_models_that_were_trained_anew_the_page_tells_nothing(out, tmp_path):
    copied = shutil.copytree(out, tmp_path / "out")
    file = read_json(copied / "schema.json")
    file["strategies"][0]["files"] = ["another"]
    (copied / "schema.json").write_text(json.dumps(file))
    publish(copied)
    assert 'id="schema"' not in (copied / "report.html").read_text()


def test_a_damaged_file_says_the_way_on(out, tmp_path):
    copied = shutil.copytree(out, tmp_path / "out")
    (copied / "schema.json").write_text('{"rows": 3}')
    with pytest.raises(
        ArtifactError, match=r"schema\.json: has no .*; remove it; `stratune schema` makes it"
    ):
        publish(copied)


def test_what_has_nothing_to_merge_is_refused(out, tmp_path):
    with pytest.raises(ConfigError, match=r"strategies: 'lora' is not one of tfidf, majority"):
        schema(out, ["lora"])
    two = [
        {**row, "label": "yes" if row["label"] in ("glad", "merry") else "no"} for row in rows(80, same=True)
    ]
    with pytest.raises(
        ConfigError, match=r"2 labels \(classification\): a merge needs labels of one row each"
    ):
        schema(compared(tmp_path / "two", two))
