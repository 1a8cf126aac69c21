"""Expected best of n trials, against all draws one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.evaluate.expected_best import expected_best

VALUES = st.lists(
    st.sampled_from([0.1, 0.25, 0.25, 0.5, 0.7, 0.9]) | st.floats(-5, 5), min_size=1, max_size=5
)


@given(VALUES, st.booleans())
def test_it_is_the_mean_over_all_draws(values, higher):
    best = max if higher else min
    with_, without = (
        expected_best(values, higher_is_better=higher, replacement=replacement)
        for replacement in (True, False)
    )
    for n in range(1, len(values) + 1):
        drawn = [best(draw) for draw in itertools.product(values, repeat=n)]
        assert with_[n - 1] == pytest.approx(np.mean(drawn), abs=1e-12)
        drawn = [best(draw) for draw in itertools.combinations(values, n)]
        assert without[n - 1] == pytest.approx(np.mean(drawn), abs=1e-12)


@given(VALUES)
def test_it_begins_at_the_mean_and_rises_to_the_best(values):
    for replacement in (True, False):
        found = expected_best(values, replacement=replacement)
        assert found[0] == pytest.approx(np.mean(values), abs=1e-12) and (np.diff(found) >= -1e-12).all()
        assert found[-1] <= max(values) + 1e-12
    assert expected_best(values)[-1] == pytest.approx(max(values))
    assert (expected_best(values, replacement=True) <= expected_best(values) + 1e-12).all()


def test_of_a_thousand_trials():
    found = expected_best(np.linspace(0, 1, 1000))
    assert found[0] == pytest.approx(0.5) and found[-1] == pytest.approx(1.0)
    assert found[9] == pytest.approx(
        (10 / 11) * (1001 / 999) - 1 / 999
    )  # of 10 of 1, ..., N: n (N + 1) / (n + 1)


def test_of_none_there_is_none():
    with pytest.raises(ValueError, match="of no values"):
        expected_best([])
