"""Labels that are probably wrong: planted ones are found, written, corrected, and what that brings is told."""

import json

import pandas as pd
import pytest
from datasets import Dataset

from stratune.api import compare
from stratune.comparison.suspects import OutOfFold, effect, suspects
from stratune.data.load import load_split
from stratune.errors import ConfigError, DataError
from stratune.task import Task
from tests.cli.comparison import stratune
from tests.data.test_giveaways import LABELS, rows


def flipped(count=1000, wrong=30, seed=0):
    """(table with `wrong` labels turned, table as it was, ids of those that were turned)."""
    texts, labels, random_ = rows(count, seed)
    turned = sorted(random_.sample(range(count), wrong))
    given = list(labels)
    for at in turned:
        given[at] = LABELS[1 - LABELS.index(labels[at])]
    ids = [str(i) for i in range(count)]
    tables = [Dataset.from_dict({"id": ids, "text": texts, "label": one}) for one in (given, labels)]
    return *tables, {str(at) for at in turned}


TASK = Task(labels=LABELS)
ANSWER = OutOfFold("tfidf", None)


def test_of_thirty_turned_labels_half_and_more_are_among_the_first_sixty():
    table, _, turned = flipped()
    found = suspects(table, TASK, ANSWER(table, TASK))
    assert len(found) == 1000
    assert len({one.id for one in found[:60]} & turned) >= 15
    first = found[0]
    assert first.confident and first.other > first.own and {first.label, first.suggested} == set(LABELS)
    again = suspects(table, TASK, ANSWER(table, TASK))
    assert [one.id for one in again] == [one.id for one in found]


def test_corrections_better_the_models_by_what_is_told():
    table, right, _ = flipped(400, wrong=80)
    found = effect(right, TASK, ANSWER(table, TASK), ANSWER(right, TASK))
    assert found.change.low < found.change.difference < found.change.high
    assert found.change.difference == pytest.approx(found.after - found.before) and found.after > found.before


def test_values_and_sets_of_labels_are_refused():
    table = Dataset.from_dict({"id": ["0"], "text": ["a"], "label": ["1"]})
    with pytest.raises(ConfigError, match="where each row has one label"):
        ANSWER(table, Task(kind="regression"))
    with pytest.raises(ConfigError, match="stack is made of other runs"):
        OutOfFold("stack")(flipped(60, 2)[0], TASK)


def test_from_the_file_to_corrected_labels_and_back(tmp_path):
    table, _, turned = flipped(300, wrong=20)
    table.remove_columns("id").to_csv(tmp_path / "data.csv", index=False)
    data, fixes = str(tmp_path / "data.csv"), str(tmp_path / "fixes.csv")
    place = {"cwd": tmp_path, "cache": tmp_path / "cache"}
    done = stratune("data", "suspects", data, "--strategy", "tfidf", "--write", fixes, **place)
    assert done.returncode == 0 and f"wrote {fixes}" in done.stdout.replace("\n", "")
    frame = pd.read_csv(fixes, dtype=str, keep_default_na=False)
    assert list(frame.columns) == ["id", "text", "label", "corrected", "suggested", "p_label", "p_suggested"]
    mine = frame["id"].isin({str(int(row) + 1) for row in turned})  # rows of a file are counted from 1
    assert mine.sum() >= 10
    frame.loc[mine, "corrected"] = frame.loc[mine, "suggested"]
    frame.to_csv(fixes, index=False)
    done = stratune(
        "data", "suspects", data, "--strategy", "tfidf", "--corrections", fixes, "--json", **place
    )
    found = json.loads(done.stdout)
    assert found["corrected"] == mine.sum() and found["after"] > found["before"]
    split = load_split(data, Task(), seed=0, corrections=fixes, validation="auto")
    labels = {
        row: label
        for part in split.parts.values()
        for row, label in zip(part["id"], part["label"], strict=True)
    }
    assert all(labels[row.id] == row.suggested for row in frame[mine].itertuples())
    assert f"{mine.sum()} rows have the labels of {fixes}" in split.notes
    board = compare(data, strategies=["majority"], corrections=fixes, out=tmp_path / "out", progress=False)
    assert json.loads((tmp_path / "out" / "split.json").read_text())["fingerprint"] == split.fingerprint
    assert board.rows[0]["status"] == "ok"


@pytest.mark.parametrize(
    "columns, why",
    [
        ({"id": ["1"], "label": ["sports"]}, "no such column: 'corrected'"),
        ({"id": ["1", "1"], "corrected": ["politics", "sports"]}, "the id '1' repeats"),
        ({"id": ["1"], "corrected": [""]}, "no row has a `corrected` label"),
        ({"id": ["999"], "corrected": ["sports"]}, "no row of the data has the id '999'"),
        ({"id": ["1"], "label": ["art"], "corrected": ["sports"]}, "row '1' was 'art' when it was corrected"),
    ],
)
def test_wrong_corrections_are_told(columns, why, tmp_path):
    table, _, _ = flipped(60, wrong=2)
    pd.DataFrame(columns).to_csv(tmp_path / "fixes.csv", index=False)
    with pytest.raises(DataError, match=why):
        load_split(table, Task(), seed=0, corrections=str(tmp_path / "fixes.csv"))
