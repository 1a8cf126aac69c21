"""Cells as slices: values, quartiles, bins and years; what is no slice is refused with a reason."""

import numpy as np
import pandas as pd
import pytest

from stratune.data.sliced import EMPTY, LEAST, NOWHERE, by_values, sliced


def rows_of(found, counted):
    return {name: int((found.codes[:counted] == position).sum()) for position, name in enumerate(found.names)}


def test_values_with_few_rows_are_joined():
    cells = ["b"] * 30 + ["a"] * 20 + ["c"] * 4 + ["d"] * 6 + [None] * 12
    found = sliced(cells, len(cells))
    assert found.how == "values"
    assert rows_of(found, len(cells)) == {"a": 20, "b": 30, EMPTY: 12, "other (2 values)": 10}
    alone = sliced(cells[:54], 54)  # four rows are too few for a slice of others
    assert alone.names == ("a", "b") and set(alone.codes[50:]) == {NOWHERE}


def test_only_counted_rows_decide_and_the_others_follow():
    cells = ["a"] * 20 + ["b"] * 20 + ["c"] * 50 + ["a"]
    found = sliced(cells, 40)
    assert found.names == ("a", "b") and found.codes[-1] == 0 and set(found.codes[40:90]) == {NOWHERE}


def test_few_numbers_are_values_in_their_order():
    found = sliced([10.0, 9.0, 1.0] * 12, 36)
    assert found.names == ("1", "9", "10")


def test_many_numbers_are_quartiles():
    numbers = np.random.default_rng(0).normal(size=200)
    found = sliced(numbers.tolist(), 200)
    assert found.how == "quartiles" and rows_of(found, 200) == dict.fromkeys(found.names, 50)
    wanted = pd.qcut(numbers, 4, labels=False)
    assert (found.codes == wanted).all()
    assert found.names[0] == f"{numbers.min():.3g} to {np.sort(numbers)[49]:.3g}"


def test_bins_that_were_given():
    ages = list(range(10, 90)) + [None]
    found = sliced(ages, len(ages), (30.0, 65.0))
    assert found.names == ("below 30", "30 to below 65", "65 and above")
    assert rows_of(found, 80) == {"below 30": 20, "30 to below 65": 35, "65 and above": 25}
    assert found.codes[-1] == NOWHERE


@pytest.mark.parametrize("as_text", [True, False])
def test_dates_are_years(as_text):
    days = pd.date_range("2019-12-01", periods=60, freq="D")
    cells = [str(day) if as_text else day.to_pydatetime() for day in days]
    found = sliced(cells, 60)
    assert found.how == "years" and rows_of(found, 60) == {"2019": 31, "2020": 29}


@pytest.mark.parametrize(
    ("cells", "edges", "why"),
    [
        ([["a"]] * 30, (), "lists"),
        ([f"row {k}" for k in range(40)], (), "it has 40 values on test"),
        (["a"] * 40, (), "it has 1 value on test"),
        (["a", "b"] * 20, (1.0,), "bins are of numbers"),
        (list(range(40)), (1000.0,), f"fewer than two of its bins have {LEAST} test rows"),
    ],
)
def test_what_has_no_slices_says_why(cells, edges, why):
    with pytest.raises(ValueError, match=why):
        sliced(cells, len(cells), edges)


def test_labels_keep_their_order():
    found = by_values(["low", "high", "mid"] * 12, 36, order=("low", "mid", "high"))
    assert found.names == ("low", "mid", "high")
