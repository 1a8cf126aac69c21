"""Temperature, chosen on known answers."""

import numpy as np
import pytest
from scipy.special import log_softmax

from stratune.errors import ConfigError
from stratune.prompt.calibrate import check_two, scale_of


def said(margins):
    """(N, 2) log-probabilities whose difference is `margins`."""
    margins = np.asarray(margins, dtype=float)
    return log_softmax(np.stack([np.zeros_like(margins), margins], axis=1), axis=1)


def test_three_labels_have_no_threshold():
    with pytest.raises(ConfigError, match="readout.threshold: a threshold needs two labels, not 3"):
        check_two(3)


@pytest.mark.parametrize("wrong_by", [0.25, 1.0, 4.0])
def test_the_temperature_makes_probabilities_honest(wrong_by):
    random = np.random.default_rng(1)
    honest = random.normal(0, 2, 20_000)
    truth = (random.random(20_000) < 1 / (1 + np.exp(-honest))).astype(np.int64)

    def log_loss(scaled):
        return -log_softmax(scaled, axis=1)[np.arange(len(truth)), truth].mean()

    assert scale_of(said(honest * wrong_by), log_loss) * wrong_by == pytest.approx(1, abs=0.05)
