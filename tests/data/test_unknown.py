"""Labels that only validation or test has: refused with the ways on, each of which works."""

from __future__ import annotations

import numpy as np
import pytest

from stratune.data.check import check
from stratune.data.load import load_split
from stratune.data.store import load_parts, store_split
from stratune.errors import ConfigError, DataError
from stratune.task import Task


@pytest.fixture
def files(tmp_path):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("text,label\n" + "".join(f"red {i},{('fruit', 'rail')[i % 2]}\n" for i in range(40)))
    test.write_text(
        "text,label\n" + "".join(f"pear {i},{('fruit', 'rail', 'ship')[i % 3]}\n" for i in range(12))
    )
    return train, test


def split_of(files, task=None, **options):
    return load_split(files[0], task, seed=0, test=files[1], **options)


def warnings(split):
    return [issue.message for issue in check(split).issues if issue.level == "warning"]


def test_it_is_refused_with_the_ways_on(files):
    with pytest.raises(DataError) as caught:
        split_of(files)
    assert str(caught.value) == (
        f"{files[1]}:4: column 'label': 'ship' is not one of fruit, rail, the labels of the training rows; test has "
        "4 such rows: name all labels (task.labels=[fruit, rail, ...]), leave such rows out (--unknown drop), or "
        "count them as wrong (--unknown wrong)"
    )


def test_named_labels_may_have_no_training_row(files):
    split = split_of(files, Task(labels=("fruit", "rail", "ship")))
    assert split.sizes["test"] == 12 and split.balance()["test"]["ship"] == 4 and split.wrong == ()
    assert "train has no row of 1 label: ship" in warnings(split)


def test_such_rows_are_dropped_and_counted(files):
    split = split_of(files, unknown="drop")
    assert split.sizes["test"] == 8 and split.task.labels == ("fruit", "rail")
    message = "test: 4 of 12 rows left out, their label is that of no training row: ship (4)"
    assert split.warnings == (message,) and message in warnings(split)


def test_such_rows_count_as_wrong(files):
    split = split_of(files, unknown="wrong")
    assert (
        split.sizes["test"] == 12
        and split.task.labels == ("fruit", "rail", "ship")
        and split.wrong == ("ship",)
    )
    assert split.warnings == (
        "test: 4 of 12 rows count as wrong, their label is that of no training row: ship (4)",
    )
    named = split_of(files, Task(labels=("fruit", "rail", "ship")))
    assert split.fingerprint != named.fingerprint, "a model may answer a label that was named"
    kept = load_parts(store_split(split))
    assert (kept.wrong, kept.warnings, kept.fingerprint) == (split.wrong, split.warnings, split.fingerprint)


def test_a_part_of_which_nothing_is_left(files):
    files[1].write_text("text,label\na,ship\n")
    with pytest.raises(DataError, match="no row is left: no training row has any label of this part"):
        split_of(files, unknown="drop")


def test_a_level_without_a_place_cannot_count_as_wrong(files):
    task = Task(kind="ordinal", labels=("rail", "fruit"))
    with pytest.raises(
        ConfigError, match="task.labels: give the levels in their order; found fruit, rail, ship"
    ):
        split_of(files, task, unknown="wrong")


def test_label_sets_too(tmp_path):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("text,label\n" + "".join(f'x {i},"{("a", "a,b", "")[i % 3]}"\n' for i in range(40)))
    test.write_text('text,label\ny,"a,c"\nz,b\n')
    task = Task(kind="multilabel")
    with pytest.raises(DataError, match=":2: column 'label': 'c' is not one of a, b"):
        split_of((train, test), task)
    assert split_of((train, test), task, unknown="drop").sizes["test"] == 1
    assert split_of((train, test), task, unknown="wrong").task.labels == ("a", "b", "c")


def test_a_misspelt_choice(files):
    with pytest.raises(
        ConfigError, match="data.unknown: 'dorp' is not one of refuse, drop, wrong \\(did you mean 'drop'"
    ):
        split_of(files, unknown="dorp")


def test_what_counts_as_wrong_is_never_answered():
    target = Task(labels=("a", "b", "c")).target
    predictions = np.array([[0.2, 0.2, 0.6], [0.0, 0.0, 1.0], [np.nan] * 3])
    kept = target.without(predictions, ["c"])
    np.testing.assert_allclose(kept, [[0.5, 0.5, 0], [0.5, 0.5, 0], [np.nan, np.nan, np.nan]])
    sets = Task(labels=("a", "b"), kind="multilabel").target
    np.testing.assert_allclose(sets.without(np.array([[0.9, 0.8]]), ["b"]), [[0.9, 0]])
