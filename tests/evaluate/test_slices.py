"""A slice less all other rows: statsmodels, scikit-learn and scipy as oracles."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error
from statsmodels.stats.proportion import confint_proportions_2indep

from stratune.evaluate.multiple import holm
from stratune.evaluate.replicates import replicates
from stratune.evaluate.slices import difference, estimate, rank_correlation
from stratune.target import target_of


def answered(seed=0, rows=240, groups=None, strength=1.0):
    draws = np.random.default_rng(seed)
    truth = draws.integers(0, 2, rows)
    own = 0.0 if groups is None else draws.normal(size=groups.max() + 1)[groups]
    away = (2 * truth - 1) * (strength + own) + draws.normal(size=rows)
    second = 1 / (1 + np.exp(-away))
    return truth, np.stack([1 - second, second], axis=1)


def sides(truth, predictions, inside, *, groups=None, resamples=200, seed=0, kind="classification"):
    target = target_of(kind, ("a", "b") if kind == "classification" else ())
    several = predictions if isinstance(predictions, list) else [predictions]
    options = {"groups": groups, "resamples": resamples, "seed": seed}
    return [
        replicates(
            [target.scorer(truth[rows], one[rows]) for one in several], len(truth), inside=rows, **options
        )
        for rows in (inside, ~inside)
    ]


def test_values_are_those_of_the_rows_of_the_mask():
    truth, predictions = answered()
    inside = np.arange(240) % 4 == 0
    one, other = sides(truth, predictions, inside)
    said = predictions.argmax(axis=1)
    for rows, found in ((inside, one), (~inside, other)):
        assert found.value("accuracy") == pytest.approx(accuracy_score(truth[rows], said[rows]))
        assert found.value("f1_macro") == pytest.approx(f1_score(truth[rows], said[rows], average="macro"))
        assert found.units == rows.sum()
    away = difference(one, other, "f1_macro")
    assert away.difference == pytest.approx(one.value("f1_macro") - other.value("f1_macro"))
    numbers = truth + predictions[:, :1].ravel()
    kept, rest = sides(numbers, predictions[:, 1:], inside, kind="regression")
    errors = [mean_absolute_error(numbers[rows], predictions[rows, 1]) for rows in (inside, ~inside)]
    assert difference(kept, rest, "mae").difference == pytest.approx(errors[0] - errors[1])


@pytest.mark.parametrize("share", [0.04, 0.3])
def test_the_interval_of_accuracies_is_newcombes(share):
    truth, predictions = answered()
    inside = np.random.default_rng(1).random(240) < share
    found = difference(*sides(truth, predictions, inside), "accuracy")
    right = predictions.argmax(axis=1) == truth
    counts = right[inside].sum(), inside.sum(), right[~inside].sum(), (~inside).sum()
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "log_loss"])
def test_p_is_below_a_level_just_where_the_interval_leaves_out_zero(metric):
    seen = set()
    for seed in range(12):
        truth, predictions = answered(seed, 120)
        inside = predictions[:, 0] > np.quantile(predictions[:, 0], 0.4 + seed / 50)
        found = difference(*sides(truth, predictions, inside, resamples=60), metric)
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high) or abs(found.p - 0.05) < 1e-3
        seen.add(found.p < 0.05)
    if metric == "log_loss":
        assert seen == {True, False}


def test_groups_on_both_sides_make_the_difference_surer_and_groups_on_one_less():
    groups = np.repeat(np.arange(30), 10)
    truth, predictions = answered(3, 300, groups, strength=0.6)
    within, between = np.arange(300) % 2 == 0, groups < 15
    width = {}
    for name, inside in (("within", within), ("between", between)):
        for grouped in (None, groups):
            found = difference(*sides(truth, predictions, inside, groups=grouped), "accuracy")
            width[name, grouped is not None] = found.high - found.low
    assert width["within", True] < 0.8 * width["between", True]
    assert width["between", True] > 1.3 * width["between", False]


def test_intervals_of_grouped_slices_cover():
    covered = 0
    for seed in range(100):
        groups = np.repeat(np.arange(30), 6)
        truth, predictions = answered(seed, 180, groups, strength=0.8)
        inside = np.random.default_rng(seed).random(180) < 0.3
        found = difference(
            *sides(truth, predictions, inside, groups=groups, resamples=60, seed=seed), "accuracy"
        )
        covered += found.low <= 0 <= found.high
    assert covered >= 91


def test_seeds_widen_an_estimate_and_one_group_has_none():
    truth, first = answered(0)
    again = [first, answered(1)[1] * 0.2 + first * 0.8, 0.5 * first + 0.25]
    inside = np.arange(240) < 60
    one, _ = sides(truth, again, inside)
    assert one.points["accuracy"].shape == (3,)
    groups = np.where(inside, 0, np.arange(240))
    single, rest = sides(truth, first, inside, groups=groups)
    assert single.units == 1 and estimate(single, "accuracy") is None
    assert difference(single, rest, "accuracy") is None


def test_a_metric_that_a_slice_leaves_undefined_has_no_difference():
    truth, predictions = answered()
    assert difference(*sides(truth, predictions, truth == 1), "roc_auc") is None


def test_resamples_without_a_row_of_the_slice_do_not_count():
    truth, predictions = answered()
    inside = np.arange(240) < 2
    found, _ = sides(truth, predictions, inside, resamples=400)
    undefined = np.isnan(found.drawn["accuracy"]).mean()
    assert 0.08 < undefined < 0.20  # (1 - 2/240)^240 = 0.13
    assert np.nanmin(found.drawn["accuracy"]) >= 0


def test_the_rank_correlation_is_scipys():
    draws = np.random.default_rng(0)
    share = draws.choice([0.6, 0.8, 1.0], 200)
    sure = np.stack([share + draws.normal(size=200), share + draws.normal(size=200)])
    found = rank_correlation(sure, share, groups=None, resamples=200)
    assert found.value == pytest.approx(np.mean([spearmanr(one, share).statistic for one in sure]))
    assert found.low < found.value < found.high
    assert rank_correlation(sure, np.ones(200), groups=None, resamples=50) is None


def test_holm_keeps_the_order_of_its_family():
    assert holm([0.04, 0.001, 0.03]) == pytest.approx([0.06, 0.003, 0.06])
