"""What training minimises, against torch and scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from stratune.errors import ConfigError
from stratune.train.loss import class_weights, cross_entropy

NAMES = ("animal", "weather", "music")


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=3, max_size=200).filter(lambda rows: len(set(rows)) == 3))
def test_balanced_weights_are_scikit_learns_and_average_to_one(rows):
    labels = np.array(rows)
    found = class_weights("balanced", labels, NAMES).double().numpy()
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(found / found.sum(), wanted / wanted.sum(), rtol=1e-5)
    assert found[labels].mean() == pytest.approx(1, abs=1e-5)


def test_weights_by_name_keep_their_ratio_and_average_to_one():
    labels = np.array([0, 0, 0, 1, 2, 2])
    found = class_weights({"weather": 4.0}, labels, NAMES).numpy()
    assert found[1] / found[0] == pytest.approx(4) and found[2] == found[0]
    assert found[labels].mean() == pytest.approx(1)


def test_a_label_that_never_occurs_weighs_nothing():
    assert class_weights("balanced", np.array([0, 1]), NAMES)[2] == 0


def test_no_weights():
    assert class_weights("none", np.array([0, 1]), NAMES) is None


@pytest.mark.parametrize(
    "wanted, message",
    [
        ({"wether": 2.0}, r"train.class_weights: 'wether' is not one of .*\(did you mean 'weather'\?\)"),
        (
            "balance",
            r"train.class_weights: 'balance' is not one of none, balanced \(did you mean 'balanced'\?\)",
        ),
    ],
)
def test_what_weights_may_be(wanted, message):
    with pytest.raises(ConfigError, match=message):
        class_weights(wanted, np.array([0, 1]), NAMES)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_each_rows_loss_is_torchs_times_the_weight_of_its_label(smoothing):
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 1, 1])
    weights = torch.tensor([0.5, 1.0, 2.0])
    losses = cross_entropy(logits, labels, weights, smoothing)
    for row in range(5):
        plain = F.cross_entropy(logits[row], labels[row], label_smoothing=smoothing)
        assert losses[row] == pytest.approx(float(plain * weights[labels[row]]), rel=1e-6)
    unweighted = cross_entropy(logits, labels, None, smoothing)
    assert torch.allclose(unweighted.mean(), F.cross_entropy(logits, labels, label_smoothing=smoothing))


def test_smoothing_by_hand():
    """Share s goes evenly over all K labels: K = 2, s = 0.2 makes targets 0.9 and 0.1."""
    logits = torch.tensor([[2.0, 0.0]])
    log_p = torch.log_softmax(logits, dim=1)[0]
    wanted = -(0.9 * log_p[0] + 0.1 * log_p[1])
    assert torch.allclose(cross_entropy(logits, torch.tensor([0]), None, 0.2)[0], wanted)
