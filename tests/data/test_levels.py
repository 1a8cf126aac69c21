"""Levels of an ordinal task: "2" and "2.0" are one, wherever they are written."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from stratune.cli.data import app
from stratune.data.load import load_split
from stratune.data.other_test import OtherTest
from stratune.errors import DataError
from stratune.target import target_of
from stratune.task import Task

WORDS = ("alpha", "beta", "gamma", "delta", "omega")


def file(path, cells, header="text,label"):
    lines = [f"row {n} {WORDS[n % 5]} of {path.stem},{cell}" for n, cell in enumerate(cells)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_two_spellings_of_a_level_are_one_and_told(tmp_path):
    path = file(tmp_path / "half.csv", ["1", "1.5", "2", "2.0", "3"] * 20)
    split = load_split(path, Task(kind="ordinal"), seed=0)
    assert split.task.labels == ("1", "1.5", "2", "3")
    assert "one level in several spellings: '2.0' is '2'" in split.notes
    assert sum(counts["2"] for counts in split.balance().values()) == 40


def test_one_spelling_stays_as_it_is(tmp_path):
    path = file(tmp_path / "half.csv", ["1.0", "1.5", "2.0"] * 20)
    split = load_split(path, Task(kind="ordinal"), seed=0)
    assert split.task.labels == ("1.0", "1.5", "2.0") and not any("spellings" in note for note in split.notes)


def test_named_levels_are_the_spelling(tmp_path):
    path = file(tmp_path / "half.csv", ["1", "2", "2.0", "3.00"] * 20)
    split = load_split(path, Task(kind="ordinal", labels=("1.0", "2.0", "3.0")), seed=0)
    assert set(split.train["label"]) == {"1.0", "2.0", "3.0"}
    with pytest.raises(DataError, match=r"half.csv:\d+: column 'label': '4' is not one of 1.0, 2.0, 3.0"):
        load_split(file(tmp_path / "half.csv", ["1", "2", "4", "3"] * 20), split.task, seed=0)


def test_files_of_their_own_are_spelt_as_the_training_rows(tmp_path):
    train, test = (
        file(tmp_path / "train.csv", ["1", "2", "3"] * 20),
        file(tmp_path / "test.csv", ["1.0", "2.0"] * 9),
    )
    split = load_split(train, Task(kind="ordinal"), seed=0, test=str(test))
    assert set(split.test["label"]) == {"1", "2"}
    other = load_split(train, Task(kind="ordinal"), seed=0, other=OtherTest(str(test)))
    assert set(other.test["label"]) == {"1", "2"}


def test_ratings_are_spelt_alike():
    cells = ["1", "2", "3"] * 20
    frame = pd.DataFrame({"text": [f"row {n} {WORDS[n % 5]}" for n in range(60)], "label": cells})
    frame["votes"] = [f"[{cell}.0, {cell}]" for cell in cells]
    split = load_split(frame, Task(kind="ordinal", annotations="votes"), seed=0)
    assert {rating for given in split.train["annotations"] for rating in given} == {"1", "2", "3"}


def test_other_kinds_keep_their_names(tmp_path):
    path = file(tmp_path / "half.csv", ["1", "2", "2.0"] * 20)
    assert load_split(path, Task(), seed=0).task.labels == ("1", "2", "2.0")
    assert target_of("classification").respelt(["2", "2.0"]) == {}
    assert target_of("ordinal").respelt(["2", "2.0", "low", "2.00"]) == {"2.0": "2", "2.00": "2"}


def check(path, *options):
    result = CliRunner().invoke(app, ["check", str(path), "--backbone", "", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("kind", "cells", "labels"),
    [
        ("regression", [str(n % 10 + 1) for n in range(400)], {}),
        ("multilabel", ['"a,b"', "a", "", '"b, c"'] * 100, {"a": 200, "b": 200, "c": 100}),
        ("ordinal", ["1", "1.5", "2", "2.0"] * 100, {"1": 100, "1.5": 100, "2": 200}),
    ],
)
def test_rows_are_counted_whatever_the_labels_are(tmp_path, kind, cells, labels):
    found = json.loads(check(file(tmp_path / "rows.csv", cells), "--kind", kind, "--json"))
    assert found["rows"] == pytest.approx({"train": 280, "val": 60, "test": 60}, abs=1)
    assert sum(found["rows"].values()) == 400
    assert {name: sum(part[name] for part in found["balance"].values()) for name in labels} == labels


def test_scores_are_checked_as_the_levels_that_they_become(tmp_path):
    path = file(tmp_path / "ten.csv", [str(n % 10 + 1) for n in range(100)])
    told = json.loads(check(path, "--bins", "3", "--json"))
    assert list(told["balance"]["test"]) == ["low", "medium", "high"] and told["rows"]["test"] == 15
    edges = json.loads(check(path, "--bins", "2.5,5.5", "--kind", "classification", "--json"))
    rows = {
        name: edges["balance"]["train"][name] + edges["balance"]["test"][name] for name in ("low", "medium")
    }
    assert rows == {"low": 20, "medium": 30}
    assert "val (folds of train)" in check(path, "--bins", "low,high")
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["split", str(path), "--bins", "2", "--out", str(out)])
    assert result.exit_code == 0 and set(pd.read_csv(out / "test.csv")["label"]) == {"low", "high"}


def test_sets_with_another_mark_are_told(tmp_path):
    path = file(tmp_path / "multi.csv", ['"a,b"', "a", "b", "c;a"] * 25)
    assert "warning: 1 label looks like several labels: 'c;a'; write ',' for ';'" in check(
        path, "--kind", "multilabel"
    )
