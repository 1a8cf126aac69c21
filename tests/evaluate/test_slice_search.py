"""The worst slices: a planted one is found, and where there is none hardly ever one is."""

import numpy as np
import pytest
from scipy.stats import binom

from stratune.evaluate.slice_search import LEAST_GROUPS, _tail, worst_slices


def conditions(draws, count=150, rows=400):
    return draws.random((count, rows)) < draws.uniform(0.05, 0.5, (count, 1))


def test_none_is_found_where_there_is_none():
    found = 0
    for seed in range(100):
        draws = np.random.default_rng(seed)
        found += bool(worst_slices(conditions(draws), draws.random(400) < 0.2).found)
    assert found <= 5


def test_none_is_found_where_whole_groups_are_bad():
    """Groups differ, and conditions are of whole groups: rows as if independent would be called bad slices."""
    found = alone = 0
    for seed in range(100):
        draws = np.random.default_rng(seed)
        groups = draws.integers(0, 60, 600)
        wrong = draws.random(600) < np.clip(draws.normal(0.25, 0.2, 60), 0, 1)[groups]
        of_groups = (draws.random((60, 60)) < 0.3)[:, groups]
        found += bool(worst_slices(of_groups, wrong, groups).found)
        alone += bool(worst_slices(of_groups, wrong).found)
    assert found <= 5 < 30 < alone


def test_a_planted_slice_is_found_first_and_alone():
    hits = 0
    for seed in range(50):
        draws = np.random.default_rng(seed)
        some = conditions(draws)
        some[3] = draws.random(400) < 0.2
        search = worst_slices(some, draws.random(400) < np.where(some[3], 0.6, 0.15))
        hits += bool(search.found) and search.found[0].conditions == (3,)
    assert hits >= 47


def test_a_planted_pair_is_found_and_its_halves_are_not_told_again():
    draws = np.random.default_rng(0)
    some = conditions(draws)
    some[4], some[5] = draws.random(400) < 0.4, draws.random(400) < 0.4
    both = some[4] & some[5]
    wrong = draws.random(400) < np.where(both, 0.7, 0.1)
    search = worst_slices(some, wrong)
    (one,) = search.found
    assert one.conditions == (4, 5)
    assert one.rows == both.sum() and one.wrong == pytest.approx(wrong[both].mean())


def test_p_is_the_binomial_tail_times_twice_the_number_of_its_kind():
    draws = np.random.default_rng(1)
    some = conditions(draws, count=10)
    some[0] = np.arange(400) < 60
    wrong = draws.random(400) < np.where(some[0], 0.6, 0.1)
    search = worst_slices(some, wrong)
    first = search.found[0]
    assert first.conditions == (0,)
    tail = binom.sf(wrong[some[0]].sum() - 1, 60, wrong.mean())
    assert first.p == pytest.approx(2 * search.singles * tail)
    assert search.singles == sum(20 <= one.sum() <= 200 for one in some)
    kept = [one for one in some if 20 <= one.sum() <= 200]
    pairs = [(a, b) for k, a in enumerate(kept) for b in kept[k + 1 :]]
    wanted = sum(20 <= (a & b).sum() <= 0.9 * min(a.sum(), b.sum()) for a, b in pairs)
    assert search.pairs == wanted
    assert _tail(np.array([7.0]), np.array([30.0]), 0.1)[0] == pytest.approx(binom.sf(6, 30, 0.1))


def test_two_planted_slices_are_both_found():
    draws = np.random.default_rng(2)
    some = conditions(draws, count=40, rows=800)
    some[0], some[1] = np.arange(800) < 80, np.arange(800) >= 700
    wrong = draws.random(800) < np.where(some[0] | some[1], 0.6, 0.1)
    assert {one.conditions for one in worst_slices(some, wrong).found[:2]} == {(0,), (1,)}


def test_a_slice_of_few_groups_is_never_found():
    groups = np.repeat(np.arange(40), 10)
    bad = groups < LEAST_GROUPS - 1
    wrong = bad | (np.arange(400) % 10 == 0)
    assert worst_slices(bad[None], wrong).found
    assert not worst_slices(bad[None], wrong, groups).found


@pytest.mark.parametrize("wrong", [np.zeros(50, bool), np.ones(50, bool)])
def test_all_right_or_all_wrong_has_no_worst(wrong):
    search = worst_slices(np.ones((1, 50), dtype=bool), wrong)
    assert search.found == () and (search.singles, search.pairs) == (0, 0)
    assert worst_slices(np.zeros((0, 50), dtype=bool), wrong).found == ()
