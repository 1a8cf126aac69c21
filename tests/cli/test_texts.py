"""stratune data texts, data gap, and a comparison of transcripts, through the command-line app."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stratune.comparison.comparison import run_comparison
from stratune.comparison.source import split_of
from stratune.config import parse_config, read_config
from stratune.data.read import read
from stratune.engine.inline import InlineEngine
from stratune.errors import ConfigError, DataError
from tests.cli.test_transcripts import run

THINGS = ["week", "day", "hour", "year", "trip", "talk", "show", "meal", "game", "book", "song", "walk"]


@pytest.fixture
def calls(tmp_path):
    """Twelve calls of two people, and ratings beside them."""
    folder = tmp_path / "calls"
    folder.mkdir()
    for number in range(12):
        word = "good" if number % 2 else "bad"
        said = f"ANN: Um hello.\nBOB: A {word} {THINGS[number]}, {word} indeed.\n"
        (folder / f"call{number}.txt").write_text(said)
    lines = [f"call{number},{'yes' if number % 2 else 'no'},v{number // 2}" for number in range(12)]
    (tmp_path / "labels.csv").write_text("\n".join(["document,happy,venue", *lines]) + "\n")
    return folder


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_texts_are_written(calls, tmp_path, suffix):
    out = tmp_path / f"texts.{suffix}"
    options = (
        "--labels",
        tmp_path / "labels.csv",
        "--clean",
        "fillers",
        "--no-speakers",
        "--keep",
        "happy=yes",
    )
    told = run("texts", calls, *options, "-o", out)
    assert told.splitlines()[0] == "6 texts of 12 documents, 6 words in the middle one"
    assert "6 left out: its label row has another value" in told and "12 x fillers" in told
    assert told.splitlines()[-1] == f"wrote {out}"
    table = read(out)
    assert len(table) == 6 and set(table["happy"]) == {"yes"}
    assert table[0]["text"].split("\x1e") == ["Hello.", "A good day, good indeed."]


def test_texts_are_only_counted(calls):
    told = json.loads(run("texts", calls, "--unit", "speaker", "--min-words", "5", "--json"))
    assert (told["rows"], told["documents"], told["out"]) == (12, 12, None)
    assert told["left_out"]["fewer words than `min_words`"]["count"] == 12


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (("--unit", "document", "--keep", "happy"), ConfigError, "--keep: 'happy' should be <column>=<value>,<value>"),
        (("-o", "x.docx"), DataError, "x.docx: output format 'docx' is not one of csv, jsonl, parquet"),
        (("--labels", "labels.csv", "-o", "labels.csv"), ConfigError, "--out: labels.csv is where the input is"),
        (("--unit", "speach"), ConfigError, "unit: 'speach' is not one of document, speaker, segment"),
    ],
)  # fmt: skip
def test_wrong_options(calls, monkeypatch, options, error, message):
    monkeypatch.chdir(calls.parent)
    with pytest.raises(error) as caught:
        run("texts", calls, *options)
    assert str(caught.value).startswith(message)


def fields(calls, **transcripts):
    own = {"labels": str(calls.parent / "labels.csv"), "no_speakers": True, **transcripts}
    data = {"source": str(calls), "transcripts": own, "fractions": [0.5, 0.25, 0.25]}
    return {"data": data, "task": {"label": "happy"}, "strategies": ["majority", "tfidf"]}


def test_a_comparison_of_a_folder(calls, tmp_path):
    out = tmp_path / "out"
    with InlineEngine() as engine:
        config = parse_config(fields(calls, clean="fillers"))
        results = list(run_comparison(config, out, engine=engine))
    assert [result.status for result in results] == ["ok", "ok"]
    found = json.loads((out / "data.json").read_text())["transcripts"]
    assert (found["documents"], found["rows"], found["cleaned"]) == (12, 12, {"fillers": 12})
    again = read_config(out / "config.yaml")
    assert split_of(again).fingerprint == split_of(config).fingerprint
    ids = {row for part in json.loads((out / "split.json").read_text())["parts"].values() for row in part}
    assert ids == {f"call{number}" for number in range(12)}


def test_the_ratings_of_a_sheet_are_annotations(calls):
    """Three raters a call, a row each: the mean is learned, and what each said is kept beside it."""
    lines = [f"call{n}.txt;{who};{n % 5 + k},5" for n in range(12) for k, who in enumerate("abc")]
    (calls / "sheet.csv").write_text("\n".join(["file;rater;score", *lines]) + "\n")
    named = fields(calls)
    named["data"]["transcripts"] = {"no_speakers": True}
    named["task"] = {"label": "score", "kind": "regression"}
    split = split_of(parse_config(named))
    assert split.task.annotations == "score_ratings" and len(split.train) + len(split.test) == 12
    row = next(row for row in split.train if row["id"].startswith("call"))
    assert float(row["label"]) == sum(row["annotations"]) / 3 and len(row["annotations"]) == 3
    named["task"] = {"label": "score", "kind": "ordinal"}  # means are no levels that raters gave
    assert split_of(parse_config(named)).task.annotations is None


def test_texts_of_a_document_stay_together(calls):
    split = split_of(parse_config(fields(calls, unit="segment")))
    sides = [set(table["group"]) for table in (split.train, split.test)]
    assert split.task.group == "document" and sum(map(len, sides)) == len(set().union(*sides)) == 12
    grouped = fields(calls, unit="speaker")
    grouped["task"]["group"] = "venue"
    assert set(split_of(parse_config(grouped)).train["group"]) <= {f"v{number}" for number in range(6)}


def test_a_column_of_the_labels_says_the_part(calls):
    table = pd.read_csv(calls.parent / "labels.csv")
    table["part"] = ["train"] * 6 + ["valid"] * 3 + ["test"] * 3
    table.to_csv(calls.parent / "labels.csv", index=False)
    named = fields(calls)
    named["data"]["split_column"] = "part"
    assert split_of(parse_config(named)).sizes == {"train": 6, "val": 3, "test": 3}


def test_labels_beside_the_configuration(calls):
    config = calls.parent / "config.yaml"
    config.write_text("data: {source: calls, transcripts: {labels: labels.csv}}\ntask: {label: happy}\n")
    read = read_config(config)
    assert read.data.transcripts.labels == str(calls.parent / "labels.csv")
    assert read.data.val is None and split_of(read).sizes["train"] == 10


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"data": {"val": "val.csv"}}, ConfigError, "data.val: a file of its own does not go with transcripts"),
        ({"data": {"transcripts": None}}, ConfigError, "calls is a folder; of transcripts, say what a text is"),
        ({"data": {"transcripts": {"units": "document"}}}, ConfigError, "data.transcripts.units: 'units' is not one of by, clean"),
        ({"data": {"transcripts": {"unit": "documents"}}}, ConfigError, "unit: 'documents' is not one of"),
        ({"task": {"label": "hapy"}}, DataError, "no such column: 'hapy' is not one of id, document"),
    ],
)  # fmt: skip
def test_wrong_configurations(calls, change, error, message):
    wrong = fields(calls)
    for section, keys in change.items():
        wrong[section] |= keys
    with pytest.raises(error) as caught:
        split_of(parse_config(wrong))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_the_gap(tmp_path):
    rows = [
        {"text": f"sign{n % 12} sign{n % 12} of row {n}", "label": "ab"[n % 2], "who": n % 12}
        for n in range(96)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    options = ("--group", "who", "--metric", "accuracy", "--folds", "4", "--repeats", "1")
    told = run("gap", path, *options)
    assert "tfidf on 96 rows of 12 groups" in told and "one group out" in told
    assert "random folds look too good" in told
    found = json.loads(run("gap", path, *options, "--json"))
    assert found["by"]["random"]["score"]["value"] == 1.0 and found["gap"]["low"] > 0
    with pytest.raises(ConfigError, match="--group: name the column of groups"):
        run("gap", path)
