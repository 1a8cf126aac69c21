"""Single ratings: from one column, several, or lists in text to the canonical list; and through a split."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stratune.data.arrow import to_arrow
from stratune.data.columns import canonical
from stratune.data.load import load_split
from stratune.data.raters import identified
from stratune.data.read import read
from stratune.data.split import subsample
from stratune.data.store import load_parts, store_split
from stratune.errors import ConfigError, DataError
from stratune.task import Bins, Task

NUMBERS = Task(kind="regression", annotations="ratings")
NAMES = Task(labels=("no", "yes"), annotations="ratings")


def ratings_of(task, **columns):
    rows = len(next(iter(columns.values())))
    label = [1.0] * rows if task.kind == "regression" else ["yes"] * rows
    return to_arrow(canonical(read({"text": ["t"] * rows, "label": label, **columns}), task, "t.parquet"))[
        "annotations"
    ]


@pytest.mark.parametrize(
    "cells, lists",
    [
        ([[3, 4], [], [5]], [[3.0, 4.0], [], [5.0]]),
        ([[3, None], None, [2.5]], [[3.0], [], [2.5]]),
        (["[3, 4]", "", "[5]"], [[3.0, 4.0], [], [5.0]]),
        (["3, 4", "5", None], [[3.0, 4.0], [5.0], []]),
        ([3, None, 5], [[3.0], [None], [5.0]]),  # a rater, who left a row out
    ],
)
def test_numbers(cells, lists):
    column = ratings_of(NUMBERS, ratings=cells)
    assert column.type == pa.list_(pa.float64()) and column.to_pylist() == lists


def test_names_of_labels():
    column = ratings_of(NAMES, ratings=[["yes", "no", "yes"], [], ["no"]])
    assert column.type == pa.list_(pa.string())
    assert column.to_pylist() == [["yes", "no", "yes"], [], ["no"]]
    digits = Task(labels=("0", "1"), annotations="ratings")
    table = canonical(read({"text": ["t"], "label": [1], "ratings": [[1, 0, 1.0]]}), digits, "t")
    assert table["annotations"][0] == ["1", "0", "1"]


def test_lists_are_put_behind_each_other_and_single_ratings_keep_their_rater():
    joined = Task(kind="regression", annotations="readers+writers")
    lists = ratings_of(joined, readers=[[3, 4], [1]], writers=[[5], [2]]).to_pylist()
    assert lists == [[3.0, 4.0, 5.0], [1.0, 2.0]]
    assert not identified(joined, lists)
    raters = Task(kind="regression", annotations="ann + bob")
    told_apart = ratings_of(raters, ann=[3, None], bob=[4, 2]).to_pylist()
    assert told_apart == [[3.0, 4.0], [None, 2.0]]
    assert identified(raters, told_apart)
    assert not identified(NUMBERS, [[3.0, 4.0], [1.0, 2.0]])  # places in a list are nobody


@pytest.mark.parametrize(
    "task, cells, message",
    [
        (NUMBERS, [[1], [2, "x"]], r"t.parquet:2: column 'ratings': rating 'x' is not a number"),
        (NUMBERS, ["[1, 2]", "[3, 4"], r"t.parquet:2: column 'ratings': rating '\[3, 4' is not a number"),
        (NUMBERS, [[1.0], [float("inf")]], "t.parquet:2: column 'ratings': rating 'inf' is not a number"),
        (NAMES, [["yes"], ["yess"]], r"2: column 'ratings': rating 'yess' is not one of no, yes \(did you mean 'yes'"),
    ],
)  # fmt: skip
def test_what_is_no_rating_is_named(task, cells, message):
    with pytest.raises(DataError, match=message):
        ratings_of(task, ratings=cells)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(
        DataError, match="'ratngs' is not one of text, label, ratings .did you mean 'ratings'"
    ):
        ratings_of(Task(kind="regression", annotations="ratngs"), ratings=[[1]])


def test_labels_learned_from_the_rows_bind_the_ratings():
    source = {"text": [f"t{i}" for i in range(40)], "label": ["a", "b"] * 20, "ratings": [["a", "b"]] * 40}
    assert load_split(source, Task(annotations="ratings"), seed=0).task.labels == ("a", "b")
    source["ratings"][6] = ["a", "c"]
    with pytest.raises(DataError, match=r":7: column 'ratings': rating 'c' is not one of a, b"):
        load_split(source, Task(annotations="ratings"), seed=0)


def scores(rows=60):
    texts = [f"text {i}" for i in range(rows)]
    values = [i % 6 + 0.5 for i in range(rows)]
    return {
        "text": texts,
        "label": values,
        "ratings": [[v - 0.5, v + 0.5][: i % 3] for i, v in enumerate(values)],
    }


def test_ratings_go_with_their_rows_and_leave_the_fingerprint_alone(tmp_path):
    plain = load_split(scores(), Task(kind="regression"), seed=0)
    rated = load_split(scores(), NUMBERS, seed=0, sizes=(20, None, None))
    again = load_parts(store_split(rated))
    assert load_split(scores(), NUMBERS, seed=0).fingerprint == plain.fingerprint
    assert "annotations" not in plain.train.column_names
    for part, table in again.parts.items():
        assert to_arrow(table).schema.field("annotations").type == pa.list_(pa.float64())
        assert table["annotations"][:] == rated.parts[part]["annotations"][:]
        for row in table:
            number = int(row["text"].split()[1])
            assert row["annotations"] == scores()["ratings"][number]
    assert len(subsample(again.train, 5, 0, rated.task)["annotations"]) == 5


def test_other_ratings_are_another_stored_split():
    first = load_split(scores(), NUMBERS, seed=0)
    changed = scores()
    changed["ratings"][2] = [9.0]
    second = load_split(changed, NUMBERS, seed=0)
    assert first.fingerprint == second.fingerprint
    assert store_split(first) != store_split(second)


def test_bins_turn_ratings_into_levels():
    task = Task(
        kind="ordinal", annotations="ratings", bins=Bins(names=("low", "mid", "high"), edges=(2.0, 4.0))
    )
    split = load_split(scores(), task, seed=0)
    for row in split.train:
        given = scores()["ratings"][int(row["text"].split()[1])]
        assert row["annotations"] == ["low" if r < 2 else "mid" if r < 4 else "high" for r in given]


def test_label_sets_have_no_ratings():
    with pytest.raises(ConfigError, match=r"task.annotations: ratings are of one label or number each"):
        Task(kind="multilabel", annotations="ratings")
