"""Heads that are solved on vectors, against scikit-learn and against what a minimum is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from stratune.errors import NonFiniteLoss
from stratune.net.net import Net
from stratune.net.pooled_head import PooledHead
from stratune.objective.classes import CrossEntropy
from stratune.objective.label_sets import Binary
from stratune.objective.levels import Corn, Cumulative, LevelValue
from stratune.objective.values import Value
from stratune.task import Task
from stratune.train import linear
from stratune.train.linear import solve_linear
from stratune.train.solved import Labelled, VectorRows

ROWS, WIDTH = 120, 16
KINDS = {
    "classification": CrossEntropy(3),
    "multilabel": Binary(3),
    "regression": Value(0),
    "huber": Value(0, loss="huber"),
    "mae": Value(0, loss="mae"),
    "corn": Corn(4),
    "cumulative": Cumulative(4),
    "level": LevelValue(4),
}


class Bare(Net):
    """A head alone: it is given vectors, and has no backbone to make them."""

    def __init__(self, head, objective):
        torch.nn.Module.__init__(self)
        self.head, self.objective = head, objective  # dropout is off


def bare(objective, *, bias=True, norm=False):
    outputs, ordered = objective.outputs, objective.ordered_cuts
    return Bare(PooledHead("mean", WIDTH, outputs, norm, 0.1, bias, 0, ordered).eval(), objective)


def drawn(objective, rows=ROWS, seed=0, noise=0.5):
    """Vectors far from zero and of a small spread, and a truth that hangs on them linearly."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, WIDTH))
    weights = np.random.default_rng(99).normal(size=(WIDTH, 3))
    scores = x @ weights / 4 + noise * generator.normal(size=(rows, 3))
    if isinstance(objective, CrossEntropy):
        truth = scores.argmax(axis=1)
    elif isinstance(objective, Binary):
        truth = (scores > 0.7).astype(np.int64)
    elif objective.labels:
        truth = np.digitize(scores[:, 0], [-0.7, 0.1, 0.9])
    else:
        truth = 1000 + 5 * scores[:, 0]
    return Labelled(torch.tensor(3 + 0.05 * x, dtype=torch.float32), torch.tensor(truth))


def task_of(objective):
    labels = tuple("abcd"[: objective.labels])
    if isinstance(objective, CrossEntropy):
        return Task(labels=labels)
    if isinstance(objective, Binary):
        return Task(kind="multilabel", labels=labels)
    return Task(kind="ordinal", labels=labels) if labels else Task(kind="regression")


def rows_of(objective, train, *, folds=5, weights=None):
    numbers = None if folds is None else np.arange(len(train.truth)) % folds
    val = drawn(objective, rows=400, seed=1)
    return VectorRows(train, val, task_of(objective), lambda texts: torch.zeros(0), numbers, weights)


def solved(objective, train=None, **options):
    train = train or drawn(objective)
    fitted = objective.fitted(train.truth.numpy())
    net = bare(fitted)
    solve_linear(net, rows_of(fitted, train, **options))
    return net, fitted


def loss_of(net, objective, part):
    with torch.no_grad():
        logits = net.head.classify(part.vectors)
    return float(objective.losses(logits, part.truth, None, 0.0).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_were_not_seen_are_answered_better_than_by_the_best_constant(kind):
    net, objective = solved(KINDS[kind])
    new = drawn(objective, rows=400, seed=1)
    constant = bare(objective)
    with torch.no_grad():
        constant.head.linear.weight.zero_()
    if (start := objective.start(drawn(objective).truth.numpy())) is not None:
        constant.head.start_at(torch.from_numpy(start).float())
    assert loss_of(net, objective, new) < 0.8 * loss_of(constant, objective, new)


@pytest.mark.parametrize("strength", [1.0, 100.0])
def test_classes_are_those_of_scikit_learn(strength, monkeypatch):
    """The same penalty on the same scaled features has one minimum."""
    monkeypatch.setattr(linear, "STRENGTHS", (strength,))
    net, objective = solved(CrossEntropy(3))
    train, new = drawn(objective), drawn(objective, rows=50, seed=1)
    x = train.vectors.double().numpy()
    center, spread = x.mean(axis=0), np.sqrt(x.var(axis=0).mean())
    peer = LogisticRegression(C=1 / strength, tol=1e-10, max_iter=5000)
    peer.fit((x - center) / spread, train.truth.numpy())
    wanted = peer.predict_proba((new.vectors.double().numpy() - center) / spread)
    with torch.no_grad():
        found = objective.probabilities(net.head.classify(new.vectors).numpy())
    np.testing.assert_allclose(found, wanted, atol=2e-4)


def test_values_are_those_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(linear, "STRENGTHS", (10.0,))
    net, objective = solved(Value(0))
    train, new = drawn(objective), drawn(objective, rows=50, seed=1)
    x, y = train.vectors.double().numpy(), train.truth.numpy()
    center, spread = x.mean(axis=0), np.sqrt(x.var(axis=0).mean())
    # mean (a - b)^2 + 10 / (2 N) w^2, of standardised values, is ridge with alpha 5
    peer = Ridge(alpha=5.0).fit((x - center) / spread, y)
    with torch.no_grad():
        found = objective.probabilities(net.head.classify(new.vectors).numpy())[:, 0]
    wanted = peer.predict((new.vectors.double().numpy() - center) / spread)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_fewer_rows_than_features_have_the_same_minimum_as_in_all_features(monkeypatch):
    monkeypatch.setattr(linear, "STRENGTHS", (1.0,))
    objective = CrossEntropy(3)
    few = drawn(objective, rows=10)
    net, _ = solved(objective, few, folds=2)
    x = few.vectors.double().numpy()
    center, spread = x.mean(axis=0), np.sqrt(x.var(axis=0).mean())
    peer = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit((x - center) / spread, few.truth.numpy())
    weights = net.head.linear.weight.detach().double().numpy() * spread
    np.testing.assert_allclose(weights - weights.mean(axis=0), peer.coef_, atol=1e-3)


@pytest.mark.parametrize("folds", [5, None], ids=["folds", "validation"])
def test_noise_asks_for_a_stronger_penalty(folds):
    """Of labels that have nothing to do with the text the weights are all but zero."""
    objective = CrossEntropy(3)
    train = drawn(objective)
    mixed = Labelled(
        train.vectors, train.truth[torch.randperm(ROWS, generator=torch.Generator().manual_seed(0))]
    )
    norms = []
    for part in (train, mixed):
        net, _ = solved(objective, part, folds=folds)
        norms.append(float(net.head.linear.weight.detach().norm()))
    assert norms[1] < norms[0]


def test_without_a_bias_nothing_is_centred():
    """A decoder's head, which has none: what it answers is the layer's, with no constant beside it."""
    objective = CrossEntropy(3)
    net = bare(objective, bias=False)
    solve_linear(net, rows_of(objective, drawn(objective)))
    new = drawn(objective, rows=200, seed=1)
    with torch.no_grad():
        right = (net.head.classify(new.vectors).argmax(dim=1) == new.truth).double().mean()
    assert net.head.linear.bias is None and right > 0.5


def test_class_weights_count():
    objective = CrossEntropy(3)
    shares = []
    for weight in (0.1, 10.0):
        net, _ = solved(objective, weights=torch.tensor([weight, 1.0, 1.0]))
        with torch.no_grad():
            logits = net.head.classify(drawn(objective, seed=1).vectors)
        shares.append(float(logits.softmax(dim=1)[:, 0].mean()))
    assert shares[0] + 0.1 < shares[1]


def test_a_vector_that_is_no_number_is_refused():
    objective = CrossEntropy(3)
    train = drawn(objective)
    train.vectors[3, 2] = torch.nan
    with pytest.raises(NonFiniteLoss, match="a vector of a text is NaN or infinite"):
        solved(objective, train)


def test_the_order_of_rows_changes_nothing():
    objective = CrossEntropy(3)
    train = drawn(objective)
    turned = Labelled(train.vectors.flip(0), train.truth.flip(0))
    folds = np.arange(ROWS) % 5
    nets = []
    for part, numbers in ((train, folds), (turned, folds[::-1].copy())):
        rows = rows_of(objective, part)
        net = bare(objective)
        solve_linear(net, VectorRows(rows.train, rows.val, rows.task, rows.encode, numbers))
        nets.append(net)
    new = drawn(objective, rows=50, seed=1).vectors
    with torch.no_grad():
        first, second = (net.head.classify(new) for net in nets)
    torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("folds", [5, None], ids=["folds", "validation"])
def test_only_what_validation_chose_among_counts_as_tried(folds):
    objective = CrossEntropy(3)
    found = solve_linear(bare(objective), rows_of(objective, drawn(objective), folds=folds))
    assert found == 1 if folds else 3 <= found <= len(linear.STRENGTHS)
