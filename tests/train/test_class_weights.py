"""Class weights, against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from stratune.errors import ConfigError
from stratune.task import Task
from stratune.train.class_weights import class_weights

TASK = Task(labels=("animal", "weather", "music"))


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=3, max_size=200).filter(lambda rows: len(set(rows)) == 3))
def test_balanced_weights_are_scikit_learns_and_average_to_one(rows):
    labels = np.array(rows)
    found = class_weights("balanced", labels, TASK).double().numpy()
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(found / found.sum(), wanted / wanted.sum(), rtol=1e-5)
    assert found[labels].mean() == pytest.approx(1, abs=1e-5)


def test_weights_by_name_keep_their_ratio_and_average_to_one():
    labels = np.array([0, 0, 0, 1, 2, 2])
    found = class_weights({"weather": 4.0}, labels, TASK).numpy()
    assert found[1] / found[0] == pytest.approx(4) and found[2] == found[0]
    assert found[labels].mean() == pytest.approx(1)


def test_a_label_that_never_occurs_weighs_nothing():
    assert class_weights("balanced", np.array([0, 1]), TASK)[2] == 0


def test_no_weights():
    assert class_weights("none", np.array([0, 1]), TASK) is None


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
        class_weights(wanted, np.array([0, 1]), TASK)
