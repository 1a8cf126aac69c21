"""Every row is tested once; no group stands on two sides; the same seed gives the same folds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.data.folds import group_folds, one_group_folds, random_folds, rounds
from stratune.errors import ConfigError

tables = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), min_size=12, max_size=60).filter(
    lambda rows: len({group for _, group in rows}) >= 5
)


def columns(rows):
    return [label for label, _ in rows], [f"g{group}" for _, group in rows]


@given(tables, st.integers(3, 5), st.integers(0, 3))
def test_random_folds_test_every_row_once(rows, count, seed):
    labels, _ = columns(rows)
    folds = random_folds(labels, count, seed)
    assert np.array_equal(folds, random_folds(labels, count, seed))
    sizes = np.bincount(folds, minlength=count)
    assert sizes.sum() == len(rows) and sizes.max() - sizes.min() <= 2  # one row of either label
    tested = np.concatenate([parts.test for parts in rounds(folds)])
    assert sorted(tested) == list(range(len(rows)))


@given(tables, st.integers(3, 5), st.integers(0, 3))
def test_no_group_is_on_two_sides(rows, count, seed):
    labels, groups = columns(rows)
    by_group = group_folds(labels, groups, count, seed)
    assert np.array_equal(by_group, group_folds(labels, groups, count, seed))
    for folds, choosing in ((by_group, None), (one_group_folds(groups), by_group)):
        tested = []
        for parts in rounds(folds, choosing):
            sides = [{groups[row] for row in part} for part in (parts.train, parts.val, parts.test)]
            assert all(sides) and sum(map(len, sides)) == len(set().union(*sides)) == len(set(groups))
            tested += [*parts.test]
        assert sorted(tested) == list(range(len(rows)))


def test_one_group_is_left_out_at_a_time():
    groups = ["b", "a", "b", "c", "d"]
    choosing = np.array([0, 1, 0, 2, 0])
    found = [(list(p.train), list(p.val), list(p.test)) for p in rounds(one_group_folds(groups), choosing)]
    # a is tested: its fold is 1, so fold 2 is validation; d shares b's fold and may train.
    assert found == [([0, 2, 4], [3], [1]), ([3, 4], [1], [0, 2]), ([1], [0, 2, 4], [3]), ([0, 2, 3], [1], [4])]  # fmt: skip


def test_seeds_deal_anew():
    labels = ["a", "b"] * 20
    assert not np.array_equal(random_folds(labels, 5, 0), random_folds(labels, 5, 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: random_folds(["a"] * 9, 2, 0),
            "folds: 2 folds of 9 rows: from 3 up to as many as there are",
        ),
        (lambda: group_folds(["a"] * 9, ["g", "h", "i"] * 3, 4, 0), "folds: 4 folds of 3 groups"),
        (lambda: one_group_folds(["g", "h"]), "folds: 2 folds of 2 groups"),
    ],
)
def test_too_few_to_deal_out(make, message):
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value).startswith(message)
