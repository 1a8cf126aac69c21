"""A split by time: old rows train, new rows test, and nothing of one moment stands on two sides."""

import csv
import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratune.data.load import load_split
from stratune.data.moments import Moments, rows_until
from stratune.errors import ConfigError, DataError
from stratune.task import Task

LETTERS = list("abcdefghijklmnopqrstuvwxyz   ")


def rows(moments, groups=None, column="date"):
    """A frame, a row a moment, no two texts alike."""
    draws = np.random.default_rng(0)
    texts = ["".join(draws.choice(LETTERS, 60)) + str(row) for row in range(len(moments))]
    frame = pd.DataFrame({"text": texts, "label": ["ab"[row % 2] for row in range(len(moments))]})
    frame[column] = moments
    if groups is not None:
        frame["who"] = groups
    return frame


def days(count, start="2019-01-01"):
    return [str(day.date()) for day in pd.date_range(start, periods=count)]


def dates_of(split, frame, column="date"):
    """Part -> the moments of its rows; ids are numbers of rows."""
    return {part: [frame[column][int(row) - 1] for row in table["id"]] for part, table in split.parts.items()}


def test_old_rows_train_new_rows_test_whatever_order_the_file_has():
    frame = rows(days(200)).sample(frac=1, random_state=1, ignore_index=True)
    found = dates_of(load_split(frame, seed=0, split_by="date"), frame)
    assert max(found["train"]) < min(found["val"]) <= max(found["val"]) < min(found["test"])
    assert {part: len(own) for part, own in found.items()} == {"train": 140, "val": 30, "test": 30}


def test_the_seed_moves_nothing_and_another_column_gives_another_fingerprint():
    frame = rows(days(100)).assign(number=list(range(100, 0, -1)))
    first, again, other = (
        load_split(frame, seed=seed, split_by=by).fingerprint
        for seed, by in ((0, "date"), (7, "date"), (0, "number"))
    )
    assert first == again != other
    assert first != load_split(frame, seed=0).fingerprint


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (days(60), "dates"),
        ([f"20{10 + row // 12}-{1 + row % 12:02d}" for row in range(60)], "months"),
        ([f"2019-01-01T{row // 60:02d}:{row % 60:02d}" for row in range(60)], "date-times"),
        ([f"2019-01-01 00:00:{row:02d}.5+01:00" for row in range(60)], "date-times with an offset"),
        ([1900 + row for row in range(60)], "numbers"),
        ([10**18 + row for row in range(60)], "numbers"),  # nanoseconds: equal as floats
        ([str(row / 8) for row in range(60)], "numbers"),
        ([datetime.date(2019, 1 + row // 28, 1 + row % 28) for row in range(60)], "dates"),
        (list(pd.date_range("2019-01-01", periods=60, freq="h")), "date-times"),
    ],
)
def test_every_form_is_read_in_its_own_order(written, form):
    split = load_split(rows(written), seed=0, split_by="date")
    assert [row for part in ("train", "val", "test") for row in split.parts[part]["id"]] == [
        str(row + 1) for row in range(60)
    ], form


def test_numbers_are_no_words_nine_comes_before_ten():
    split = load_split(rows([str(row) for row in range(1, 31)]), seed=0, split_by="date")
    assert split.train["id"][-1] == "21" and split.test["id"][0] == str(31 - len(split.test))


def test_offsets_are_taken_into_account():
    """Row 2 is written as a later hour, and is earlier."""
    moments = ["2019-01-01T10:00+00:00", "2019-01-01T11:00+05:00", "2019-01-01T12:00+00:00"] + [
        f"2019-01-{day:02d}T00:00Z" for day in range(2, 30)
    ]
    told = load_split(rows(moments), seed=0, split_by="date").by_time.periods["train"]
    assert told.first == "2019-01-01T11:00+05:00"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("03/04/2019", "found '03/04/2019'; expected 2019-03-04, 2019-03, 2019-03-04T10:30, or a number"),
        ("2019-02-30", "found '2019-02-30'; expected"),
        ("soon", "found 'soon'; expected"),
        ("nan", "found 'nan'; expected"),
        ("2019", "found '2019'; other rows have dates: write all of them in one form"),
        ("2019-03-04T10:00", "other rows have dates"),
        ("", "1 row has no moment here, such as this one"),
    ],
)
def test_what_is_no_moment_is_refused_with_its_place(tmp_path, wrong, why):
    path = tmp_path / "rows.csv"
    rows([*days(20), wrong, *days(20, "2020-01-01")]).to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        load_split(path, seed=0, split_by="date")
    assert str(caught.value).startswith(f"{path}:22: column 'date': ") and why in str(caught.value)


def test_a_column_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(DataError, match=r"no such column: 'data'.*did you mean 'date'"):
        load_split(rows(days(20)), seed=0, split_by="data")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=3, max_size=60).filter(lambda found: len(set(found)) >= 3),
    st.sampled_from([(0.7, 0.15, 0.15), (0.2, 0.4, 0.4), (0.9, 0.05, 0.05)]),
)
def test_no_moment_stands_on_two_sides_no_part_is_empty_and_the_ends_are_the_nearest(order, shares):
    order = np.unique(order, return_inverse=True)[1]
    moments = Moments("t", "numbers", order, (), ())
    ends = rows_until(moments, shares, AssertionError)
    parts = np.searchsorted(ends, order, side="left")
    assert set(parts) == {0, 1, 2}
    for part in (0, 1):
        assert order[parts == part].max() < order[parts == part + 1].min()
    upto = [int((order <= end).sum()) for end in range(order.max() - 1)]
    assert abs(upto[ends[0]] - shares[0] * len(order)) == min(abs(n - shares[0] * len(order)) for n in upto)


def test_two_moments_are_too_few_for_three_parts():
    with pytest.raises(DataError, match="2 different moments for 3 parts: rows of one moment stay in one"):
        load_split(rows(["2019-01-01", "2019-01-02"] * 20), seed=0, split_by="date")


def test_groups_that_time_would_tear_apart_are_counted_and_dropped_only_on_request():
    groups = [f"g{row}" for row in range(100)]
    groups[99] = "g5"  # one old row of a group that has a new one
    frame = rows(days(100), groups)
    with pytest.raises(
        DataError, match=r"1 group would stand on two sides; --drop-leaks drops their 1 older"
    ):
        load_split(frame, Task(group="who"), seed=0, split_by="date")
    split = load_split(frame, Task(group="who"), seed=0, split_by="date", drop_leaks=True)
    assert split.sizes == {"train": 69, "val": 15, "test": 15} and "6" not in split.train["id"]
    assert load_split(frame, seed=0, split_by="date").sizes["train"] == 70


def test_so_are_copies_of_a_text_near_ones_too():
    frame = rows(days(100))
    long = "the same words of a long text that somebody has posted a second time, and then again"
    frame.loc[3, "text"], frame.loc[98, "text"], frame.loc[99, "text"] = long, long, long + " new"
    with pytest.raises(DataError, match=r"1 text would stand on two sides; --drop-leaks drops their 1 older"):
        load_split(frame, seed=0, split_by="date")
    assert "4" not in load_split(frame, seed=0, split_by="date", drop_leaks=True).train["id"]


def test_where_nothing_would_be_left_it_says_so():
    frame = rows(days(90), [f"g{row % 3}" for row in range(90)])
    with pytest.raises(DataError, match="no row of train is left"):
        load_split(frame, Task(group="who"), seed=0, split_by="date", drop_leaks=True)


def test_with_test_rows_given_only_train_and_val_are_split_and_an_older_test_is_warned_of():
    later, earlier = (rows(days(20, start)) for start in ("2020-01-01", "2019-01-05"))
    for one in (later, earlier):
        one["text"] += " x y z"
    split = load_split(rows(days(100)), seed=0, split_by="date", test=later)
    assert split.sizes == {"train": 85, "val": 15, "test": 20} and not split.warnings
    assert split.by_time.periods["test"].first == "2020-01-01"
    split = load_split(rows(days(100)), seed=0, split_by="date", test=earlier)
    assert "test rows begin at 2019-01-05, and rows of train go on until 2019-03-26" in split.warnings


def test_given_test_rows_need_no_such_column_and_have_no_period_then():
    test = rows(days(20)).drop(columns="date")
    test["text"] += " x y z"
    split = load_split(rows(days(100)), seed=0, split_by="date", test=test)
    assert list(split.by_time.periods) == ["train", "val"]


def test_what_does_not_go_with_it_is_refused():
    frame = rows(days(60))
    with pytest.raises(ConfigError, match=r"data\.split_by: .* exclude each other"):
        load_split(frame, seed=0, split_by="date", split_column="date")
    with pytest.raises(ConfigError, match=r"data\.validation: folds: split by time, validation is the rows"):
        load_split(frame, seed=0, split_by="date", validation="folds")
    with pytest.raises(ConfigError, match="nothing is left to split"):
        load_split(frame, seed=0, split_by="date", val=frame, test=frame)


def test_few_rows_choose_by_the_newest_of_them_too():
    """`auto` would take folds of so few rows, which know the future."""
    split = load_split(rows(days(60)), seed=0, split_by="date", validation="auto")
    assert not split.cross_validated and split.val["id"][0] > split.train["id"][-1]


def test_when_the_rows_are_of_is_told_of_the_parts_as_they_are_in_the_end(tmp_path):
    split = load_split(rows(days(100)), seed=0, split_by="date", sizes=(None, None, 1))
    told = split.to_dict()["split_by"]
    only = days(100)[int(split.test["id"][0]) - 1]
    assert told["column"] == "date" and told["periods"]["test"] == [only, only]
    assert told["periods"]["train"] == ["2019-01-01", "2019-03-11"]
    assert split.notes[0].startswith(
        "split by 'date': trained from 2019-01-01 until 2019-03-11, validated from"
    )


def test_ids_of_the_data_find_the_moments_too(tmp_path):
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "text", "label", "date"])
        for row, line in enumerate(rows(days(40)).itertuples(index=False)):
            writer.writerow([f"k{row}", *line])
    split = load_split(path, Task(id="key"), seed=0, split_by="date")
    assert split.by_time.periods["test"].last == days(40)[-1]
