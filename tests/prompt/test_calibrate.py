"""Threshold and temperature, chosen on known answers."""

import numpy as np
import pytest
from scipy.special import log_softmax

from stratune.errors import ConfigError
from stratune.prompt.calibrate import scale_of, threshold


def said(margins):
    """(N, 2) log-probabilities whose difference is `margins`."""
    margins = np.asarray(margins, dtype=float)
    return log_softmax(np.stack([np.zeros_like(margins), margins], axis=1), axis=1)


def accuracy_of(truth):
    return lambda moved: float((moved.argmax(axis=1) == truth).mean())


def test_the_threshold_stands_where_the_metric_is_highest():
    truth = np.array([0, 0, 0, 1, 1])
    bias = threshold(said([1.0, 2.0, 3.0, 4.0, 5.0]), accuracy_of(truth))
    assert bias.tolist() == [0.0, 3.5]


def test_a_threshold_that_gains_nothing_stays_where_it_was():
    truth = np.array([0, 0, 1, 1])
    assert threshold(said([-3.0, -1.0, 1.0, 9.0]), accuracy_of(truth)).tolist() == [0.0, 0.0]


def test_many_rows_are_tried_at_some_places_only():
    random = np.random.default_rng(0)
    margins = random.normal(3, 1, 5000)
    truth = (margins + random.normal(0, 0.1, 5000) > 3).astype(int)
    bias = threshold(said(margins), accuracy_of(truth))
    assert abs(bias[1] - 3) < 0.1


def test_three_labels_have_no_threshold():
    with pytest.raises(ConfigError, match="readout.threshold: a threshold needs two labels, not 3"):
        threshold(np.zeros((4, 3)), lambda moved: 0.0)


@pytest.mark.parametrize("wrong_by", [0.25, 1.0, 4.0])
def test_the_temperature_makes_probabilities_honest(wrong_by):
    random = np.random.default_rng(1)
    honest = random.normal(0, 2, 20_000)
    truth = (random.random(20_000) < 1 / (1 + np.exp(-honest))).astype(np.int64)

    def log_loss(scaled):
        return -log_softmax(scaled, axis=1)[np.arange(len(truth)), truth].mean()

    assert scale_of(said(honest * wrong_by), log_loss) * wrong_by == pytest.approx(1, abs=0.05)
