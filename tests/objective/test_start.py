"""Where training starts: the answer that fits the training rows when nothing of the text is known."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from stratune.net.document_head import DocumentHead
from stratune.net.linear_head import OrderedCuts
from stratune.net.pooled_head import PooledHead
from stratune.objective.classes import CrossEntropy
from stratune.objective.label_sets import Binary
from stratune.objective.levels import Corn, Cumulative, LevelValue
from stratune.objective.values import Value

DRAW = np.random.default_rng(0)
LEVELS = DRAW.choice(4, 2000, p=[0.02, 0.5, 0.4, 0.08])
SETS = (DRAW.random((2000, 3)) < [0.02, 0.5, 0.9]).astype(np.int64)
VALUES = DRAW.exponential(3.0, 2000)
WEIGHTS = np.array([5.0, 0.1, 1.0, 2.0])
ONE_LABEL = [CrossEntropy(4), Corn(4), Cumulative(4), LevelValue(4)]
CASES = [
    *((objective, LEVELS, weights) for objective in ONE_LABEL for weights in (None, WEIGHTS)),
    (Binary(3), SETS, None),
    *((Value(0, loss=loss), VALUES, None) for loss in ("mse", "mae", "huber")),
]


def mean_loss(objective, truth, logits, weights):
    rows = torch.as_tensor(logits).expand(len(truth), -1)
    weights = None if weights is None else torch.as_tensor(weights)
    return float(objective.losses(rows, torch.as_tensor(truth), weights, 0.0).mean())


@pytest.mark.parametrize(("objective", "truth", "weights"), CASES, ids=lambda one: type(one).__name__)
def test_no_other_constant_fits_the_training_rows_much_better(objective, truth, weights):
    objective = objective.fitted(truth)
    start = objective.start(truth, weights)
    zeros = np.zeros(objective.outputs)
    start = zeros if start is None else start
    best = minimize(lambda logits: mean_loss(objective, truth, logits, weights), start, method="Powell").fun
    lost = mean_loss(objective, truth, start, weights) - best
    assert lost <= 0.03 * mean_loss(objective, truth, zeros, weights)


def test_a_label_that_no_row_has_and_a_level_that_no_row_has_start_finite():
    few = np.array([0, 0, 3, 3])
    for objective in ONE_LABEL:
        assert np.isfinite(objective.start(few, None)).all()
    assert (np.diff(Cumulative(4).start(few, None)) < 0).all()
    assert np.isfinite(Binary(2).start(np.array([[0, 1], [0, 1]]), None)).all()


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("kind", ["pooled", "document"])
def test_a_head_starts_with_these_logits(kind, ordered):
    wanted = torch.tensor([2.0, -1.0, -1.5])
    if kind == "pooled":
        head = PooledHead("mean", 8, 3, True, 0.0, True, 0, ordered)
        read = head.classify
    else:
        head = DocumentHead("mean", 8, 3, "mean", 0.0, OrderedCuts(3) if ordered else None)
        read = lambda vectors: head.classify(vectors, torch.arange(5), 5)  # noqa: E731
    with torch.no_grad():
        head.linear.weight.zero_()
        head.start_at(wanted)
        torch.testing.assert_close(read(torch.randn(5, 8)), wanted.expand(5, -1))
