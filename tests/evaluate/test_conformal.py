"""Conformal sets hold the truth as often as was asked for, on every kind of task."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from stratune.errors import ConfigError
from stratune.evaluate.conformal import MOST, Conformal
from stratune.target import target_of
from tests.evaluate.oracle import simulated, simulated_sets, simulated_values

LABELS = ("a", "b", "c", "d")
SIMULATED = {
    "classification": lambda rows, seed: simulated(rows, 4, seed, decimals=9),
    "ordinal": lambda rows, seed: simulated(rows, 4, seed, decimals=9),
    "multilabel": lambda rows, seed: simulated_sets(rows, 4, seed, decimals=9),
    "regression": lambda rows, seed: simulated_values(rows, seed, decimals=9),
}
ROWS = 3000


@pytest.mark.parametrize("kind", SIMULATED)
@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.99])
def test_the_coverage_asked_for_is_held_on_new_rows_within_its_binomial_interval(kind, coverage):
    """Given the validation rows, so many test rows are covered as a binomial count; validation varies as well."""
    target = target_of(kind, () if kind == "regression" else LABELS)
    val, test = SIMULATED[kind](ROWS, 1), SIMULATED[kind](ROWS, 2)
    most = Conformal.of(target.strangeness(*val)).quantile(coverage)
    covered = target.covered(test[0], target.sets(test[1], most)).sum()
    # The variance of both samples: that of one of half as many rows.
    low, high = binom.interval(0.998, ROWS // 2, coverage)
    assert low <= covered / 2 <= high


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_the_quantile_is_the_smallest_score_that_enough_others_do_not_exceed(scores, coverage):
    found = Conformal.of(np.array(scores)).quantile(coverage)
    rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
    assert found == (sorted(scores)[rank - 1] if rank <= len(scores) else math.inf)


def test_of_many_scores_some_are_kept_and_the_next_higher_one_is_taken():
    scores = np.arange(12_345) / 12_345
    kept = Conformal.of(scores)
    assert len(kept.scores) == MOST and kept.rows == 12_345
    for coverage in (0.1, 0.5, 0.9, 0.999):
        exact = scores[math.ceil(12_346 * coverage) - 1]
        assert exact <= kept.quantile(coverage) <= exact + 2 / MOST


def test_few_rows_cannot_promise_much():
    kept = Conformal.of(np.arange(8) / 8)
    assert kept.quantile(0.88) == 7 / 8 and kept.quantile(0.9) == math.inf
    target = target_of("classification", LABELS)
    assert target.sets(np.full((1, 4), 0.25), math.inf).all()
    low, high = target_of("regression").sets(np.array([[3.0]]), math.inf)[0]
    assert (low, high) == (-math.inf, math.inf)


def test_rows_without_an_answer_are_covered_by_no_set():
    kept = Conformal.of(np.array([0.1, 0.2, np.nan, 0.3]))
    assert kept.scores == (0.1, 0.2, 0.3) and kept.quantile(0.7) == math.inf
    sets = target_of("classification", LABELS).sets(np.full((1, 4), np.nan), kept.quantile(0.5))
    assert not sets.any()


@pytest.mark.parametrize("coverage", [0, 1, -0.1, 90, math.nan])
def test_a_coverage_that_is_no_share_is_refused(coverage):
    with pytest.raises(ConfigError, match="coverage: .* is not between 0 and 1"):
        Conformal.of(np.array([0.5])).quantile(coverage)
