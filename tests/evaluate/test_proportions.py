"""Intervals of single metrics against other people's formulas, and at the ends where replicates do not differ."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binomtest

from stratune.evaluate.intervals import bootstrap as of_scorers
from stratune.evaluate.intervals import intervals
from stratune.evaluate.proportions import AREA, F1_SCORE, SHARE, Proportions, wilson
from stratune.evaluate.replicates import Replicates
from stratune.evaluate.scales import acceleration, bca
from tests.evaluate.oracle import simulated, simulated_sets
from tests.scores import bootstrap

Z = stats.norm.ppf(0.975)


@pytest.mark.parametrize(("right", "rows"), [(0, 7), (12, 12), (29, 30), (80, 100), (594, 600)])
def test_accuracy_has_scipys_wilson_interval(right, rows):
    truth = np.arange(rows) % 2
    guess = np.where(np.arange(rows) < right, truth, 1 - truth)
    ours = bootstrap(truth, np.eye(2)[guess][None], ("a", "b"), resamples=20)["accuracy"]
    expected = binomtest(right, rows).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_f1_of_a_label_is_the_jaccard_indexs_interval_carried_over():
    truth = np.repeat([0, 1], [40, 60])
    guess = truth.copy()
    guess[:7], guess[40:45] = 1, 0  # 33 hits, 7 missed, 5 wrong of the first label
    ours = bootstrap(truth, np.eye(2)[guess][None], ("a", "b"), resamples=20)["f1[a]"]
    jaccard = binomtest(33, 45).proportion_ci(method="wilson")
    expected = [2 * end / (1 + end) for end in (jaccard.low, jaccard.high)]
    assert (ours.low, ours.high) == pytest.approx(expected, abs=1e-12)


def test_an_areas_ends_lie_so_many_of_their_own_standard_errors_away():
    values, trials = np.array([0.998, 0.8, 1.0, 0.5]), np.array([[50.0, 20, 6, 3], [50.0, 80, 6, 1]])
    for ends, side in zip(AREA.ends(values, trials, Z), (-1, 1), strict=True):
        inner = (ends > 0) & (ends < 1)
        off = (ends - values)[inner] / np.sqrt(AREA.variance(ends, trials))[inner]
        assert off == pytest.approx(side * Z, abs=1e-6)
    assert AREA.ends(values, trials, Z)[0][2] < 0.9  # all pairs in order, of six and six


def test_variance_of_an_area_is_hanley_and_mcneils_where_both_sides_have_as_many_rows():
    area, rows = 0.85, 40
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    expected = (area * (1 - area) + (rows - 1) * (q1 - area**2 + q2 - area**2)) / rows**2
    ours = AREA.variance(np.array([area]), np.array([[float(rows)], [float(rows)]]))
    assert ours[0] == pytest.approx(expected)


def test_bca_equals_scipys_on_its_own_replicates():
    rows = np.random.default_rng(0).lognormal(size=40)
    theirs = stats.bootstrap((rows,), np.mean, n_resamples=2000, rng=np.random.default_rng(1))
    left_out = np.array([np.delete(rows, row).mean() for row in range(40)])
    ours = bca(rows.mean(), theirs.bootstrap_distribution, acceleration(left_out), 0.95)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=1e-12)


def test_no_trials_tell_nothing_and_perfect_ones_do_not_end_at_one_point():
    low, high = wilson(np.array([0.0, 1.0]), np.array([0.0, 3.0]), Z)
    assert low[0] == 0.0 and high[0] > 0.999 and low[1] == pytest.approx(0.438, abs=1e-3) and high[1] == 1.0


def test_nothing_wrong_in_twelve_rows_leaves_room_in_every_metric_of_decisions():
    truth = np.arange(12) % 3
    perfect = np.eye(3)[truth][None] * 0.94 + 0.02
    found = bootstrap(truth, perfect, ("a", "b", "c"), kind="ordinal", resamples=50)
    for name in ("accuracy", "f1_macro", "recall[a]", "f1_weighted", "mcc", "qwk", "roc_auc", "pr_auc"):
        assert found[name].value == found[name].high == 1.0 and found[name].low < 0.9, name
    assert found["mae_levels"].low == 0.0 and found["mae_levels"].high > 0.1
    sets, said = simulated_sets(12, 3, 0)
    found = bootstrap(sets, sets[None] * 0.8 + 0.1, ("a", "b", "c"), kind="multilabel", resamples=50)
    for name in ("subset_accuracy", "f1_micro", "f1_macro", "map", "roc_auc"):
        assert found[name].value == found[name].high == 1.0 and found[name].low < 0.97, name


def test_a_mean_of_two_alike_proportions_is_as_uncertain_as_one_and_of_two_others_less():
    each = Proportions(np.array([0.8, 0.8]), np.array([50.0, 50.0]), SHARE)
    one, half = each.variance()[0], np.full(2, 0.5)
    (alone, *_), _ = each.ends(1.0, Z)
    alike, _ = each.mean_ends(0.8, half, one, 0.25, Z)  # correlation 1: the mean spreads like one of them
    others, _ = each.mean_ends(0.8, half, one / 2, 0.25, Z)
    assert alike == pytest.approx(alone, abs=0.02)
    assert others == pytest.approx(0.8 - (0.8 - alone) / 2**0.5, abs=0.002)


def test_f1_scores_variance_is_that_of_its_replicates():
    draws = np.random.default_rng(0)
    jaccard = draws.binomial(80, 0.6, 100_000) / 80
    ours = F1_SCORE.variance(np.array([0.75]), np.array([80.0]))[0]
    assert ours == pytest.approx((2 * jaccard / (1 + jaccard)).var(), rel=0.05)


def test_seeds_add_students_t_to_both_sides():
    points = np.array([0.78, 0.80, 0.85])
    still = Replicates(
        {"mine": points}, {"mine": np.repeat(points[:, None], 9, axis=1)}, 100, skewed={"mine": 0}
    )
    expected = stats.t.interval(0.95, 2, loc=points.mean(), scale=stats.sem(points))
    found = intervals(still)["mine"]
    assert (found.low, found.high) == pytest.approx(expected)


def test_few_groups_have_students_t_and_the_spread_of_groups():
    right = np.array([0.9, 0.7, 0.8, 0.6, 0.9, 0.5])  # of six groups of 100 rows
    groups = np.repeat(np.arange(6), 100)
    guess = (np.arange(600) % 100 >= 100 * right[groups]).astype(int)
    truth = np.zeros(600, dtype=int)
    found = bootstrap(truth, np.eye(2)[guess][None], ("a", "b"), groups=groups, resamples=4000)["accuracy"]
    low, high = stats.t.interval(0.95, 5, loc=right.mean(), scale=stats.sem(right))
    assert found.high - found.low == pytest.approx(high - low, rel=0.06)  # and Wilson's bend
    assert found.low > 0 and found.high < 1


def test_recall_of_one_label_of_many_counts_its_own_rows():
    truth, probabilities = simulated(3000, 300, 0)
    found = bootstrap(truth, probabilities[None], tuple(map(str, range(300))), resamples=20)
    low = wilson(np.array([found["recall[7]"].value]), np.array([float((truth == 7).sum())]), Z)[0]
    assert found["recall[7]"].low == pytest.approx(low[0])


class Mine:
    """A metric that nobody knows the scale of."""

    def __init__(self, rows):
        self.rows = rows

    def values(self, weights):
        return {"mine": (self.rows @ weights) / weights.sum(axis=0)}


def test_an_unknown_metric_has_bca_with_groups_left_out_whole():
    rows, groups = np.random.default_rng(0).lognormal(size=60), np.repeat(np.arange(20), 3)
    found = of_scorers([Mine(rows)], 60, groups=groups, resamples=4000)["mine"]
    means = rows.reshape(20, 3).mean(axis=1)
    theirs = stats.bootstrap(
        (means,), np.mean, n_resamples=4000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.1)
