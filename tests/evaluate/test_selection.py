"""Which of several is chosen, in either direction, and where the metric is undefined."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.evaluate.selection import Selection

UP, DOWN = Selection("f1"), Selection("rmse", higher_is_better=False)
NUMBERS = st.floats(-1e6, 1e6)


def given_dict(values):
    return values


@pytest.mark.parametrize("values", [{}, {"other": 1.0}, {"f1": math.nan}])
def test_what_is_not_there_is_undefined_and_below_every_number(values):
    assert UP.value(values) is None
    assert UP.score(values) == -math.inf < UP.score({"f1": -1e300})


def test_a_value_is_as_people_read_it_and_a_score_as_one_sorts():
    assert (DOWN.value({"rmse": 2.0}), DOWN.score({"rmse": 2.0})) == (2.0, -2.0)
    assert (UP.value({"f1": 0.5}), UP.score({"f1": 0.5})) == (0.5, 0.5)


@given(st.lists(NUMBERS, min_size=1))
def test_the_best_is_the_highest_or_the_lowest(numbers):
    assert UP.best(numbers, lambda number: {"f1": number}) == max(numbers)
    assert DOWN.best(numbers, lambda number: {"rmse": number}) == min(numbers)


@given(st.lists(NUMBERS))
def test_they_are_ordered_as_python_sorts(numbers):
    assert UP.ordered(numbers, lambda number: {"f1": number}) == sorted(numbers, reverse=True)
    assert DOWN.ordered(numbers, lambda number: {"rmse": number}) == sorted(numbers)


def test_equals_stay_as_they_came_and_the_undefined_come_last():
    rows = [{"name": "a"}, {"name": "b", "f1": 0.5}, {"name": "c", "f1": 0.5}, {"name": "d", "f1": 0.9}]
    assert [row["name"] for row in UP.ordered(rows, given_dict)] == ["d", "b", "c", "a"]
    assert UP.best(rows[:3], given_dict)["name"] == "b"
    assert UP.best(rows[:1], given_dict)["name"] == "a"  # there is no other
    with pytest.raises(ValueError, match="empty"):
        UP.best([], given_dict)
