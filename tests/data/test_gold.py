"""Rows without a gold label, and rows whose raters disagree: left out before the split, and counted."""

import pandas as pd
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from stratune.data.check import check
from stratune.data.load import load_split
from stratune.errors import ConfigError, DataError
from stratune.task import Task


def rows(count=60, **columns):
    made = {
        "text": [f"a text of number {row}" for row in range(count)],
        "label": ["good", "bad"] * (count // 2),
    }
    return {**made, **columns}


def ids(split):
    return sorted(int(one) for part in split.parts.values() for one in part["id"])


def test_rows_without_gold_are_left_out_of_every_part_and_counted():
    source = rows()
    source["label"][3], source["label"][7], source["label"][8] = "-", "-1", ""
    split = load_split(source, Task(), seed=0, near="apart", no_gold=["-", "-1", ""])
    assert split.task.labels == ("bad", "good") and sum(split.sizes.values()) == 57
    note = "dict: left out 3 of 60 rows: 3 without a gold label (empty 1, '-' 1, '-1' 1)"
    assert split.notes == (note,)
    assert any(issue.message == note and issue.level == "info" for issue in check(split).issues)
    kept = [number for number in range(1, 61) if number not in (4, 8, 9)]
    assert ids(split) == kept  # a row keeps the number that it has in the file


def test_empty_is_a_word_too_and_spaces_do_not_matter():
    source = rows()
    source["label"][0], source["label"][1] = None, " - "
    assert sum(load_split(source, Task(), seed=0, no_gold=["empty", "-"]).sizes.values()) == 58


def test_own_parts_lose_theirs_and_say_so(tmp_path):
    for name, bad in (("train", 2), ("val", 4), ("test", 6)):
        frame = pd.DataFrame(rows())
        frame.loc[: bad - 1, "label"] = "-"
        frame["text"] += name
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    train, val, test = (str(tmp_path / f"{name}.csv") for name in ("train", "val", "test"))
    split = load_split(train, Task(), seed=0, val=val, test=test, no_gold=["-"])
    assert split.sizes == {"train": 58, "val": 56, "test": 54}
    assert [note.partition(":")[0] for note in split.notes] == [train, val, test]
    assert split.test["id"][0] == "test:7"


def test_a_hidden_label_of_the_hub_is_minus_one():
    features = Features({"text": Value("string"), "label": ClassLabel(names=["good", "bad"])})
    table = Dataset.from_dict(
        {**rows(), "label": [row % 2 if row else -1 for row in range(60)]}, features=features
    )
    split = load_split(table, Task(), seed=0, no_gold=["-1"])
    assert sum(split.sizes.values()) == 59 and split.task.labels == ("bad", "good")
    with pytest.raises(DataError, match="this row has no label"):
        load_split(table, Task(), seed=0)


VOTES = [["good"] * 5, ["good"] * 3 + ["bad"] * 2, ["good", "bad"], [], ["bad"] * 4 + ["good"]] * 12


def test_rows_whose_raters_disagree_are_left_out():
    task = Task(annotations="votes")
    split = load_split(rows(votes=VOTES), task, seed=0, near="apart", agreement=0.6)
    assert ids(split) == [number for number in range(1, 61) if number % 5 in (0, 1, 2)]
    assert split.notes == (
        "dict: left out 24 of 60 rows: 12 whose raters agree by less than 0.6, 12 without ratings",
    )
    few = load_split(rows(votes=VOTES), task, seed=0, agreement=0.9)
    assert ids(few) == [number for number in range(1, 61) if number % 5 == 1]


def test_a_split_where_nothing_is_left_out_is_the_same():
    plain = load_split(rows(), Task(), seed=0)
    asked = load_split(rows(), Task(), seed=0, no_gold=["-"])
    assert asked.fingerprint == plain.fingerprint and asked.notes == plain.notes


def test_messages_name_the_row_of_the_file(tmp_path):
    frame = pd.DataFrame(rows(number=["1"] * 60))
    frame.loc[:9, "label"], frame.loc[20, "number"] = "-", ""
    frame.to_csv(tmp_path / "rows.csv", index=False)
    task = Task(group="number")
    with pytest.raises(DataError, match=r"rows.csv:22: column 'number': this row has no group"):
        load_split(tmp_path / "rows.csv", task, seed=0, no_gold=["-"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"agreement": 0.6}, ConfigError, "data.agreement: there are no ratings: name their columns in task.annotations"),
        ({"agreement": 1.5}, ConfigError, "data.agreement: 1.5: expected a share above 0 up to 1"),
        ({"no_gold": ["good", "bad"]}, DataError, "dict: no row is left of 60: data.no_gold leaves all of them out"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(options, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        load_split(rows(), Task(), seed=0, **options)


def test_numbers_have_no_majority():
    task = Task(kind="regression", annotations="votes")
    with pytest.raises(ConfigError, match="data.agreement: numbers have no majority"):
        load_split(rows(label=[1.0, 2.0] * 30, votes=[[1.0, 2.0]] * 60), task, seed=0, agreement=0.6)
