"""Intervals against a slow loop over scikit-learn, against simulated truth, and against the clock."""

import time

import numpy as np
import pytest

from stratune.evaluate.classes import ClassScorer
from stratune.evaluate.replicates import resampled
from tests.evaluate.oracle import simulated, sklearn_scores
from tests.evaluate.test_kinds import without_bins
from tests.scores import bootstrap, score

LABELS = ("a", "b", "c")


@pytest.mark.parametrize("label_count", [2, 3])
def test_a_replicate_equals_scikit_learn_on_the_repeated_rows(label_count):
    truth, probabilities = simulated(80, label_count, 0)
    labels = LABELS[:label_count]
    weights = np.concatenate(list(resampled(80, 5, np.random.default_rng(1))), axis=1)
    ours = ClassScorer(truth, probabilities, labels).values(weights)
    for replicate in range(5):
        rows = np.repeat(np.arange(80), weights[:, replicate].astype(int))
        expected = sklearn_scores(truth[rows], probabilities[rows], labels)
        found = {name: value[replicate] for name, value in ours.items()}
        assert without_bins(found) == pytest.approx(without_bins(expected), abs=1e-12)


def test_resampling_draws_as_many_rows_as_there_are_and_covers_them_evenly():
    weights = np.concatenate(list(resampled(50, 4000, np.random.default_rng(0))), axis=1)
    assert weights.shape == (50, 4000)
    assert (weights.sum(axis=0) == 50).all()
    assert weights.mean(axis=1) == pytest.approx(np.ones(50), abs=0.1)  # sd of a mean of 4,000 counts: 0.016
    assert weights.var() == pytest.approx(1 - 1 / 50, abs=0.02)  # multinomial


def test_groups_are_drawn_whole():
    groups = np.array(["x", "y", "x", "z", "z", "z"])
    weights = np.concatenate(list(resampled(6, 100, np.random.default_rng(0), groups=groups)), axis=1)
    assert (weights[0] == weights[2]).all() and (weights[3] == weights[5]).all()
    assert (weights[[0, 1, 3]].sum(axis=0) == 3).all()  # three groups drawn, so rows vary


def test_values_are_means_over_seeds_and_lie_inside():
    truth, first = simulated(200, 3, 0)
    _, second = simulated(200, 3, 0, decimals=0)
    both = bootstrap(truth, np.stack([first, second]), LABELS, resamples=200)
    for name, interval in both.items():
        expected = np.mean([score(truth, one, LABELS)[name] for one in (first, second)])
        assert interval.value == pytest.approx(expected), name
        assert interval.low <= interval.value <= interval.high, name


def test_same_seed_same_interval_and_another_seed_another():
    truth, probabilities = simulated(60, 2, 0)
    stacked = probabilities[None]
    again = [bootstrap(truth, stacked, LABELS[:2], resamples=100, seed=seed) for seed in (3, 3, 4)]
    assert again[0] == again[1] and again[0] != again[2]


def test_seeds_that_disagree_widen_the_interval():
    truth = np.arange(400) % 2
    good, bad = np.eye(2)[truth], np.eye(2)[np.where(np.arange(400) % 4 < 2, truth, 1 - truth)]
    steady = bootstrap(truth, np.stack([good] * 3), LABELS[:2], resamples=500)["accuracy"]
    shaky = bootstrap(truth, np.stack([good, good, bad]), LABELS[:2], resamples=500)["accuracy"]
    assert 0.98 < steady.low < steady.high == 1.0  # Wilson: 400 of 400 right, and seeds that do not differ
    assert shaky.high - shaky.low > 0.4


def test_rows_that_belong_together_widen_the_interval():
    draws = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 25)
    right = np.repeat(draws.random(40) < 0.7, 25)  # a whole author is easy or hard
    truth = np.zeros(1000, dtype=int)
    probabilities = np.eye(2)[np.where(right, 0, 1)][None]
    plain = bootstrap(truth, probabilities, LABELS[:2], resamples=500)["accuracy"]
    grouped = bootstrap(truth, probabilities, LABELS[:2], resamples=500, groups=groups)["accuracy"]
    assert grouped.high - grouped.low > 3 * (plain.high - plain.low)


def test_the_interval_of_accuracy_covers_the_truth_about_95_times_in_100():
    draws = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        right = draws.random(300) < 0.8
        truth = draws.integers(0, 2, 300)
        probabilities = np.eye(2)[np.where(right, truth, 1 - truth)][None]
        interval = bootstrap(truth, probabilities, LABELS[:2], resamples=300, seed=trial)["accuracy"]
        covered += interval.low <= 0.8 <= interval.high
    assert 180 <= covered <= 198  # binomial(200, 0.95) is 184 to 196 in 19 of 20 cases


def test_an_undefined_metric_is_absent_and_a_rare_class_does_not_break_the_rest():
    truth = np.zeros(30, dtype=int)
    flat = np.full((1, 30, 2), 0.5)
    assert "roc_auc" not in bootstrap(truth, flat, LABELS[:2], resamples=50)
    truth[0] = 1  # in a third of the resamples this row is not drawn
    interval = bootstrap(truth, flat, LABELS[:2], resamples=50)["roc_auc"]
    assert (
        interval.low < interval.value == 0.5 < interval.high
    )  # one row of the label: it tells nearly nothing
    assert interval.high - interval.low > 0.6


def test_invalid_rows_count_as_wrong():
    truth = np.arange(40) % 2
    invalid = np.zeros((1, 40), dtype=bool)
    invalid[0, :10] = True
    ours = bootstrap(truth, np.eye(2)[truth][None], LABELS[:2], invalid=invalid, resamples=100)["accuracy"]
    assert ours.value == pytest.approx(0.75)


def test_two_thousand_resamples_of_ten_thousand_rows_are_quick():
    truth, probabilities = simulated(10_000, 2, 0, decimals=8)
    started = time.process_time()  # what the processor worked, whoever else waits for it
    intervals = bootstrap(truth, probabilities[None], LABELS[:2], resamples=2000)
    seconds = time.process_time() - started
    assert len(intervals) == 14 + 6
    assert seconds < 3.0  # 0.3 s on an idle core; the bound leaves room for a slow one
