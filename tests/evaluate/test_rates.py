"""Rates of a group's rows: scikit-learn's confusion matrix and statsmodels' Wilson as oracles."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from statsmodels.stats.proportion import proportion_confint

from stratune.evaluate.intervals import bootstrap
from stratune.evaluate.rates import Mean, Means, class_rates
from stratune.evaluate.visible import visible_between


def test_rates_of_each_label_are_those_of_the_confusion_matrix():
    draws = np.random.default_rng(0)
    truth, said = draws.integers(0, 3, 300), draws.integers(0, 3, 300)
    eye = np.eye(3, dtype=bool)
    rows = draws.random(300) < 0.3
    means = [one.at(rows) for one in class_rates(eye[truth], eye[said], ("a", "b", "c"))]
    found = bootstrap([Means(means)], int(rows.sum()), resamples=50)
    for k, label in enumerate("abc"):
        (tn, fp), (fn, tp) = confusion_matrix(truth[rows] == k, said[rows] == k)
        assert found[f"predicted[{label}]"].value == pytest.approx((fp + tp) / rows.sum())
        assert found[f"false_positive[{label}]"].value == pytest.approx(fp / (fp + tn))
        assert found[f"false_negative[{label}]"].value == pytest.approx(fn / (fn + tp))
        low, high = proportion_confint(fp, fp + tn, method="wilson")
        one = found[f"false_positive[{label}]"]
        assert (one.low, one.high) == pytest.approx((low, high), abs=1e-9)


def test_a_mean_of_numbers_has_an_interval_on_both_sides_and_none_of_no_rows():
    draws = np.random.default_rng(1)
    away, every = draws.normal(-0.2, 1, 200), np.ones(200, dtype=bool)
    means = [Mean("bias", away, every), Mean("nothing", away, ~every)]
    found = bootstrap([Means(means)], 200, resamples=500)
    assert set(found) == {"bias"}
    reach = 1.96 * away.std(ddof=1) / np.sqrt(200)
    assert found["bias"].value == pytest.approx(away.mean())
    assert found["bias"].high - found["bias"].low == pytest.approx(2 * reach, rel=0.15)
    assert found["bias"].low < 0


def test_what_can_be_seen_between_two_groups():
    wanted = 1.96 * np.sqrt(0.2 * 0.8 / 50 + 0.2 * 0.8 / 450)
    assert visible_between(0.2, 50, 450) == pytest.approx(wanted)
