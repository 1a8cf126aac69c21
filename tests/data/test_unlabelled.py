"""Texts without labels beside a split."""

import pytest

from stratune.data.load import load_split
from stratune.data.store import load_parts, store_split
from stratune.errors import DataError
from stratune.task import Bins, Task

ROWS = [{"text": f"text number {i}", "label": "ab"[i % 2]} for i in range(60)]


def split_with(texts, rows=ROWS, **how):
    return load_split(rows, Task(), seed=0, unlabelled=[{"text": text} for text in texts], **how)


def test_each_new_text_is_there_once():
    split = split_with(["new", "  NEW ", "newer", "", None, "Text  number 3"])
    assert list(split.unlabelled["text"]) == ["new", "newer"]
    assert (
        "2 texts without labels; 1 left out, which are texts of train, validation or test" in split.notes[-1]
    )
    assert "3 left out, which are empty or there twice" in split.notes[-1]
    assert split.sizes == load_split(ROWS, Task(), seed=0).sizes


def test_no_text_of_any_part_is_learned_from():
    split = split_with([row["text"] for row in ROWS] + ["new"])
    assert list(split.unlabelled["text"]) == ["new"]


def test_nothing_new_is_an_error():
    with pytest.raises(
        DataError, match="list of records: no text that is not in a part of the split already"
    ):
        split_with(["text number 5"])


def test_a_label_there_is_not_read_and_an_id_not_needed():
    rows = [{**row, "key": f"k{i}"} for i, row in enumerate(ROWS)]
    unlabelled = [{"text": "new", "label": "no label of this task"}]
    split = load_split(rows, Task(id="key"), seed=0, unlabelled=unlabelled)
    assert split.unlabelled.column_names == ["id", "text"]


def test_pairs_need_both_texts(tmp_path):
    rows = [{**row, "other": "x"} for row in ROWS]
    with pytest.raises(DataError, match="no such column: 'other'"):
        load_split(rows, Task(text_pair="other"), seed=0, unlabelled=[{"text": "new"}])


def test_a_split_with_other_texts_is_another_split():
    plain = load_split(ROWS, Task(), seed=0)
    one, other = split_with(["new"]), split_with(["newer"])
    assert len({plain.fingerprint, one.fingerprint, other.fingerprint}) == 3
    assert split_with(["new"]).fingerprint == one.fingerprint


def test_they_are_stored_with_the_split(tmp_path, monkeypatch):
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path))
    split = split_with(["new", "newer"])
    again = load_parts(store_split(split))
    assert list(again.unlabelled["text"]) == ["new", "newer"] and again.fingerprint == split.fingerprint
    assert load_parts(store_split(load_split(ROWS, Task(), seed=0))).unlabelled is None


def test_bins_and_cuts_keep_them():
    rows = [{"text": f"text {i}", "label": str(i / 7)} for i in range(60)]
    task = Task(kind="ordinal", bins=Bins(quantiles=3))
    split = load_split(rows, task, seed=0, unlabelled=[{"text": "new"}], sizes=(20, None, None))
    assert len(split.train) == 20 and len(split.task.labels) == 3
    assert list(split.unlabelled["text"]) == ["new"]
