"""Calibration is measured, and mended on rows like those that it is measured on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression

from stratune.evaluate.calibration import ConfidenceBins, Scaling, fit_scaling
from stratune.target import target_of

LABELS = ("a", "b", "c")


def overconfident(rows, factor=3.0, seed=0):
    """Truth (N,), and probabilities whose logarithms are `factor` times the true ones."""
    draws = np.random.default_rng(seed)
    logits = draws.normal(size=(rows, 3)) * 1.5
    truth = np.array([draws.choice(3, p=p) for p in softmax(logits, axis=1)])
    return truth, softmax(logits * factor, axis=1)


@pytest.mark.parametrize("way", ["temperature", "vector"])
def test_scaling_on_one_sample_mends_another(way):
    target = target_of("classification", LABELS)
    val, test = overconfident(1500), overconfident(3000, seed=1)
    scaling = target.calibration(*val, way)
    before, after = (target.score(test[0], p) for p in (test[1], target.calibrated(test[1], scaling)))
    assert scaling.scale == pytest.approx([1 / 3] * len(scaling.scale), abs=0.07)
    assert len(scaling.scale) == (1 if way == "temperature" else 3)
    assert before["ece"] > 0.15 > 0.04 > after["ece"]
    assert after["log_loss"] < before["log_loss"] and after["brier"] < before["brier"]


def test_vector_scaling_of_label_sets_is_a_logistic_regression_of_each_score():
    draws = np.random.default_rng(0)
    scores = draws.normal(size=(4000, 2)) * 2
    truth = (draws.random((4000, 2)) < expit(0.5 * scores + np.array([1.0, -2.0]))).astype(float)
    found = fit_scaling(scores, truth, "vector", joint=False)
    for k in range(2):
        oracle = LogisticRegression(C=1e6).fit(scores[:, [k]], truth[:, k])
        assert found.scale[k] == pytest.approx(oracle.coef_[0, 0], abs=0.01)
        assert found.bias[k] == pytest.approx(oracle.intercept_[0], abs=0.01)


@pytest.mark.parametrize("kind", ["classification", "multilabel"])
def test_rows_that_are_all_right_and_labels_without_rows_keep_finite_numbers(kind):
    target = target_of(kind, LABELS)
    truth = np.zeros(30, dtype=int) if kind == "classification" else np.zeros((30, 3), dtype=int)
    p = np.tile([1.0, 0.0, 0.0], (30, 1))
    scaling = target.calibration(truth, p, "vector")
    assert np.isfinite([*scaling.scale, *scaling.bias]).all()
    assert np.isfinite(target.calibrated(p, scaling)).all()


def test_nothing_asked_is_nothing_changed():
    target = target_of("classification", LABELS)
    truth, p = overconfident(20)
    assert target.calibration(truth, p, "none") == Scaling() and target.calibrated(p, Scaling()) is p


@given(st.lists(st.sampled_from([0.1, 0.4, 0.4001, 0.9]), min_size=1, max_size=40))
def test_bins_hold_every_row_once_and_equal_confidences_together(confidences):
    bins = ConfidenceBins(np.array(confidences), np.ones(len(confidences), dtype=bool))
    assert bins.points()[2].sum() == len(confidences)
    assert all(len(set(bins.bin[np.array(confidences) == one])) == 1 for one in confidences)


def test_a_constant_answer_that_is_right_as_often_as_it_says_is_calibrated():
    truth = np.array([0] * 70 + [1] * 30)
    assert target_of("classification", LABELS[:2]).score(truth, np.tile([0.7, 0.3], (100, 1)))["ece"] < 1e-12
