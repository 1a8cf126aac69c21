"""Probabilities against the shares of raters, against scipy and by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, pearsonr

from stratune.evaluate.distribution import METRICS, DistributionScorer


@pytest.fixture
def rated():
    draws = np.random.default_rng(3)
    shares = draws.multinomial(5, [0.5, 0.3, 0.2], size=80) / 5
    return shares, draws.dirichlet([2, 1, 1], size=80)


def plain(scorer, rows):
    return {name: float(value[0]) for name, value in scorer.values(np.ones((rows, 1))).items()}


def test_each_metric_is_the_one_of_scipy(rated):
    shares, given = rated
    found = plain(DistributionScorer(shares, given), 80)
    assert found["cross_entropy"] == pytest.approx(
        np.mean(entropy(shares, axis=1) + entropy(shares, given, axis=1))
    )
    each = [jensenshannon(a, b, base=2) ** 2 for a, b in zip(shares, given, strict=True)]
    assert found["jensen_shannon"] == pytest.approx(np.mean(each))
    assert found["distance"] == pytest.approx(
        np.mean(
            [abs(a - b).max() if False else abs(a - b).sum() / 2 for a, b in zip(shares, given, strict=True)]
        )
    )
    assert found["entropy_gap"] == pytest.approx(np.mean(entropy(given, axis=1) - entropy(shares, axis=1)))
    assert found["entropy_correlation"] == pytest.approx(
        pearsonr(entropy(given, axis=1), entropy(shares, axis=1))[0]
    )


def test_a_model_that_gives_the_shares_is_at_their_entropy_and_at_zero(rated):
    shares, _ = rated
    found = plain(DistributionScorer(shares, shares), 80)
    assert found["cross_entropy"] == pytest.approx(np.mean(entropy(shares, axis=1)))
    zeros = ("jensen_shannon", "distance", "entropy_gap", "ece")
    assert [found[name] for name in zeros] == pytest.approx([0, 0, 0, 0], abs=1e-12)
    assert found["entropy_correlation"] == pytest.approx(1)


def test_weights_are_rows_that_stand_there_so_often(rated):
    shares, given = rated
    times = np.random.default_rng(0).integers(0, 4, size=80)
    weighted = DistributionScorer(shares, given).values(times[:, None].astype(float))
    again = plain(
        DistributionScorer(np.repeat(shares, times, axis=0), np.repeat(given, times, axis=0)), times.sum()
    )
    for name in METRICS[:-1]:  # the bins of ECE are those of the rows as they are
        assert weighted[name][0] == pytest.approx(again[name])


def test_an_invalid_row_is_as_far_as_can_be(rated):
    shares, given = rated
    invalid = np.arange(80) == 0
    broken = np.where(invalid[:, None], np.nan, given)
    found, whole = (
        plain(DistributionScorer(shares, one, which), 80) for one, which in ((broken, invalid), (given, None))
    )
    row = plain(DistributionScorer(shares[:1], broken[:1], invalid[:1]), 1)
    assert row["distance"] == row["jensen_shannon"] == 1 and row["cross_entropy"] > 30
    assert found["distance"] > whole["distance"]


def test_what_never_varies_is_correlated_with_nothing(rated):
    shares, _ = rated
    always = np.tile([0.5, 0.3, 0.2], (80, 1))
    assert np.isnan(DistributionScorer(shares, always).values(np.ones((80, 1)))["entropy_correlation"][0])
