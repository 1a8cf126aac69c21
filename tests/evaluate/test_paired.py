"""Differences of two strategies on the same rows, against scipy and statsmodels."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from stratune.evaluate.classes import ClassScorer
from stratune.evaluate.confidence_set import confidence_set, first_shares, near_best, optimism
from stratune.evaluate.jackknife import UNITS, pseudo_values, units_of
from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import differences, mcnemar, measured, sign_flips
from stratune.evaluate.replicates import replicates
from stratune.evaluate.values import ValueScorer

LABELS = ("no", "yes")


def answers(truth, draws, skill):
    p = 1 / (1 + np.exp(-(skill + draws.normal(size=len(truth))) * (2 * truth - 1)))
    return np.stack([1 - p, p], axis=1)


def f1(truth, answers):
    """Macro F1 of two labels, quicker than scikit-learn's."""
    hits = [((truth == label) & (answers == label)).sum() for label in (0, 1)]
    return np.mean([2 * hit / ((truth == k).sum() + (answers == k).sum()) for k, hit in enumerate(hits)])


def scored(scorers, metrics, rows, seeds=None, groups=None):
    drawn = replicates(scorers, rows, groups=groups, resamples=500)
    return measured(scorers, seeds or range(len(scorers)), drawn, metrics, rows, groups)


@pytest.fixture
def two():
    """Truth and the probabilities of two classifiers of 200 rows, the second a little better."""
    draws = np.random.default_rng(4)
    truth = draws.integers(0, 2, 200)
    return truth, answers(truth, draws, 0.6), answers(truth, draws, 1.0)


def of(truth, *predictions, **options):
    scorers = [ClassScorer(truth, one, LABELS) for one in predictions]
    return scored(scorers, ["accuracy", "f1_macro", "log_loss"], len(truth), **options)


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_that_of_statsmodels(seed):
    p = np.random.default_rng(seed).random(30) ** 3
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_holm_of_no_test_is_none():
    assert holm([]) == []


@pytest.mark.parametrize("first, second", [(0, 0), (3, 9), (9, 3), (20, 20), (1, 0), (40, 70)])
def test_mid_p_is_the_exact_p_less_half_of_what_was_seen(first, second):
    exact = statsmodels_mcnemar([[5, first], [second, 5]], exact=True).pvalue if first + second else 1.0
    seen = stats.binom.pmf(first, first + second, 0.5)
    expected = exact - seen if first != second else 1 - seen / 2
    assert mcnemar(first, second) == pytest.approx(expected if first + second else 1.0)


def test_accuracy_on_single_rows_has_mcnemars_p(two):
    truth, worse, better = two
    first, second = ((one.argmax(1) == truth) for one in (worse, better))
    (found,) = differences([(of(truth, worse), of(truth, better))], "accuracy")
    assert found.difference == pytest.approx(first.mean() - second.mean())
    assert found.p == pytest.approx(mcnemar((first & ~second).sum(), (second & ~first).sum()))


def test_signs_turned_at_random_give_scipys_p_of_a_mean():
    units = np.random.default_rng(0).normal(0.25, 1, 60)
    (found,) = sign_flips([units])
    exact = stats.permutation_test(
        (units,), np.mean, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(1)
    )
    assert found == pytest.approx(exact.pvalue, abs=0.01)


def test_all_signs_of_five_units_are_met_as_often_as_they_should(two):
    (found,) = sign_flips([np.ones(5)])  # two of 32 ways go as far
    assert found == pytest.approx(2 / 32, abs=0.006)


def test_log_loss_has_the_p_of_turning_rows_around(two):
    truth, worse, better = two
    losses = [-np.log(one[np.arange(200), truth]) for one in (worse, better)]
    (found,) = differences([(of(truth, worse), of(truth, better))], "log_loss")
    exact = stats.permutation_test(
        losses, lambda a, b: a.mean() - b.mean(), permutation_type="samples", n_resamples=5000,
        rng=np.random.default_rng(2), vectorized=False,
    )  # fmt: skip
    assert found.p == pytest.approx(exact.pvalue, abs=0.02)


def test_f1_has_nearly_the_p_of_exchanging_answers(two):
    """Pseudo-values stand for rows: of a metric that is no mean the test is nearly, not wholly, exact."""
    truth, worse, better = two
    (found,) = differences([(of(truth, worse), of(truth, better))], "f1_macro")
    exact = stats.permutation_test(
        (worse.argmax(1), better.argmax(1)),
        lambda a, b: f1(truth, a) - f1(truth, b),
        permutation_type="samples", n_resamples=4000, rng=np.random.default_rng(3), vectorized=False,
    )  # fmt: skip
    assert found.p == pytest.approx(exact.pvalue, abs=0.03)


def test_the_interval_of_a_paired_mean_is_that_of_students_t():
    draws = np.random.default_rng(5)
    truth = draws.normal(size=400)
    sides = [truth + draws.normal(scale=scale, size=400) for scale in (1.0, 1.1)]
    parts = [scored([ValueScorer(truth, side[:, None])], ["mae"], 400) for side in sides]
    (found,) = differences([tuple(parts)], "mae")
    per_row = abs(sides[0] - truth) - abs(sides[1] - truth)
    expected = stats.ttest_1samp(per_row, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)


def test_a_paired_interval_is_narrower_than_what_two_intervals_suggest(two):
    truth, worse, _ = two
    shifted = worse[:, ::-1][:, ::-1] * 0.98 + 0.01  # nearly the same answers
    shifted[:6] = 1 - shifted[:6]
    (found,) = differences([(of(truth, worse), of(truth, shifted))], "accuracy")
    alone = 1.96 * np.sqrt(0.25 / 200)
    assert found.high - found.low < 2 * alone


def test_rows_that_all_agree_still_have_an_interval_with_some_width(two):
    truth, worse, _ = two
    (found,) = differences([(of(truth, worse), of(truth, worse))], "accuracy")
    assert (found.difference, found.p) == (0, 1)
    one_row = worse.copy()
    one_row[0] = 1 - one_row[0]
    (found,) = differences([(of(truth, worse), of(truth, one_row))], "accuracy")
    assert found.low < 0 < found.high and found.p == pytest.approx(0.5)


def test_groups_that_move_together_make_a_difference_less_sure(two):
    truth, worse, better = two
    agreed = (worse.argmax(1) == truth).astype(int) - (better.argmax(1) == truth)
    groups = np.argsort(np.argsort(agreed, kind="stable")) // 20  # rows of a group differ alike
    alone = differences([(of(truth, worse), of(truth, better))], "accuracy")[0]
    together = differences([(of(truth, worse, groups=groups), of(truth, better, groups=groups))], "accuracy")[
        0
    ]
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert together.p > alone.p


def test_seeds_that_differ_make_a_difference_less_sure(two):
    truth, worse, better = two
    steady, wrong = of(truth, worse, worse, worse), 1 - worse
    sure = differences([(steady, of(truth, better, better, better))], "f1_macro")[0]
    shaky = differences([(steady, of(truth, better, better, wrong))], "f1_macro")[0]
    assert shaky.high - shaky.low > 3 * (sure.high - sure.low)
    assert shaky.p > 0.3


def test_a_baseline_with_one_seed_is_compared_with_every_seed_of_the_other(two):
    truth, worse, better = two
    (found,) = differences([(of(truth, worse), of(truth, better, worse))], "accuracy")
    share = [(one.argmax(1) == truth).mean() for one in (worse, better)]
    assert found.difference == pytest.approx(share[0] - (share[0] + share[1]) / 2)


def test_strategies_that_share_no_seed_are_not_paired(two):
    truth, worse, better = two
    first, second = of(truth, worse, worse, seeds=[0, 1]), of(truth, better, better, seeds=[2, 3])
    assert differences([(first, second)], "accuracy") == [None]
    assert differences([(first, first)], "no such metric") == [None]


def test_pseudo_values_of_accuracy_are_right_and_wrong(two):
    truth, worse, _ = two
    found = pseudo_values([ClassScorer(truth, worse, LABELS)], ["accuracy", "f1_macro"], units_of(200))
    assert found["accuracy"][0] == pytest.approx((worse.argmax(1) == truth).astype(float))
    assert found["f1_macro"].mean() == pytest.approx(f1(truth, worse.argmax(1)), abs=0.01)


def test_many_rows_share_units_and_groups_stay_whole():
    assert len(np.unique(units_of(5 * UNITS))) == UNITS
    groups = np.arange(3000) // 2
    units = units_of(3000, groups)
    assert (units[::2] == units[1::2]).all() and len(np.unique(units)) == UNITS


def test_who_is_clearly_worse_is_not_in_the_tied_set_and_equals_are():
    draws = np.random.default_rng(0)
    rows = draws.normal(size=(4, 500)) + np.array([[0.5], [0.5], [0.5], [0.0]])
    points = rows.mean(axis=1)
    which = draws.integers(0, 500, (1000, 500))
    drawn = np.stack([row[which].mean(axis=1) for row in rows])
    p = confidence_set(points, drawn, 500)
    assert p[3] < 0.01 and (p[:3] > 0.05).all() and p.max() == 1
    shares = first_shares(drawn)
    assert shares.sum() == pytest.approx(1) and shares[3] == 0


def test_near_the_best_is_who_is_behind_by_no_more_than_one_error_of_the_difference():
    """Rows of 0 and 1, of which the error of the paired difference is known: sqrt(b + c - (b - c)^2 / n) / n."""
    best, near, far = np.ones((3, 400))
    best[:40], near[:30], far[:90] = 0, 0, 0
    near[-14:], far[-10:] = 0, 0
    rows = np.stack([best, near, far])
    which = np.random.default_rng(0).integers(0, 400, (4000, 400))
    drawn = np.stack([row[which].mean(axis=1) for row in rows])
    lost, won = 14, 10  # of `near` against `best`: behind by 0.0100, with an error of 0.0122
    error = np.sqrt(lost + won - (lost - won) ** 2 / 400) / 400
    points = rows.mean(axis=1)
    for more, near_it in ((0, True), (0.9 * error - 0.01, True), (1.1 * error - 0.01, False)):
        assert near_best(points - [0, more, 0], drawn, 400).tolist() == [True, near_it, False]


def test_of_one_group_nothing_is_known_so_all_tie():
    assert confidence_set(np.array([0.9, 0.1]), np.array([[0.9] * 10, [0.1] * 10]), 1).tolist() == [1, 1]


def test_the_score_of_the_first_of_many_equals_flatters_it():
    draws = np.random.default_rng(1)
    rows = draws.normal(size=(20, 200))  # all are truly 0
    which = draws.integers(0, 200, (1000, 200))
    drawn = np.stack([row[which].mean(axis=1) for row in rows])
    flattered = optimism(rows.mean(axis=1), drawn)
    assert 0.5 * rows.mean(axis=1).max() < flattered < 1.5 * rows.mean(axis=1).max()
    assert optimism(rows[:1].mean(axis=1), drawn[:1]) == pytest.approx(0)


def test_of_few_groups_no_p_calls_clear_what_the_interval_does_not():
    """Seven groups that all lean one way, by very different amounts: by signs alone p is 2/128."""
    groups = np.repeat(np.arange(7), 40)
    wrong = np.concatenate([np.arange(40) < lean for lean in (1, 1, 1, 1, 1, 2, 39)])
    truth = np.tile([0, 1], 140)
    right = np.eye(2)[truth]
    worse = np.where(wrong[:, None], right[:, ::-1], right)
    (found,) = differences([(of(truth, right, groups=groups), of(truth, worse, groups=groups))], "accuracy")
    assert found.low < 0 < found.high and found.p > 0.05
    assert sign_flips([np.array([1.0, 1, 1, 1, 1, 2, 39])])[0] < 0.02
