"""What training minimises and what outputs say, against torch, by hand, and against each other."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from stratune.errors import ConfigError
from stratune.net.linear_head import OrderedCuts
from stratune.objective.classes import CrossEntropy
from stratune.objective.label_sets import Binary
from stratune.objective.levels import Corn, Cumulative, LevelValue
from stratune.objective.values import Value
from stratune.target import TARGETS, Values, target_of

WEIGHTS = torch.tensor([0.5, 1.0, 2.0])


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# -- classes


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_each_rows_loss_is_torchs_times_the_weight_of_its_label(smoothing):
    logits, labels = random(5, 3), torch.tensor([0, 1, 2, 1, 1])
    losses = CrossEntropy(3).losses(logits, labels, WEIGHTS, smoothing)
    for row in range(5):
        plain = F.cross_entropy(logits[row], labels[row], label_smoothing=smoothing)
        assert losses[row] == pytest.approx(float(plain * WEIGHTS[labels[row]]), rel=1e-6)
    unweighted = CrossEntropy(3).losses(logits, labels, None, smoothing)
    assert torch.allclose(unweighted.mean(), F.cross_entropy(logits, labels, label_smoothing=smoothing))


def test_smoothing_by_hand():
    """Share s goes evenly over all K labels: K = 2, s = 0.2 makes targets 0.9 and 0.1."""
    logits = torch.tensor([[2.0, 0.0]])
    log_p = torch.log_softmax(logits, dim=1)[0]
    wanted = -(0.9 * log_p[0] + 0.1 * log_p[1])
    assert torch.allclose(CrossEntropy(2).losses(logits, torch.tensor([0]), None, 0.2)[0], wanted)


# -- levels


def test_corn_asks_only_the_rows_above_the_level_before():
    logits = random(4, 3)
    losses = Corn(4).losses(logits, torch.tensor([0, 1, 2, 3]), None, 0.0)
    p = torch.sigmoid(logits)
    by_hand = [
        -torch.log(1 - p[0, 0]),
        -torch.log(p[1, 0]) - torch.log(1 - p[1, 1]),
        -torch.log(p[2, 0]) - torch.log(p[2, 1]) - torch.log(1 - p[2, 2]),
        -torch.log(p[3, 0]) - torch.log(p[3, 1]) - torch.log(p[3, 2]),
    ]
    assert torch.allclose(losses * 3, torch.stack(by_hand), atol=1e-6)


def test_corns_loss_is_the_log_loss_of_what_it_says():
    logits, truth = random(50, 4), torch.arange(50) % 5
    said = Corn(5).probabilities(logits.numpy())
    np.testing.assert_allclose(said.sum(axis=1), 1)
    surprise = -np.log(said[np.arange(50), truth.numpy()])
    np.testing.assert_allclose(Corn(5).losses(logits, truth, None, 0.0).numpy() * 4, surprise, rtol=1e-4)


def test_the_cumulative_links_loss_is_the_log_loss_of_what_it_says():
    logits = OrderedCuts(4)(3 * random(50, 1)).detach()
    assert (logits.diff(dim=1) < 0).all()  # cuts stand in order
    truth = torch.arange(50) % 5
    said = Cumulative(5).probabilities(logits.numpy())
    np.testing.assert_allclose(said.sum(axis=1), 1)
    surprise = -np.log(said[np.arange(50), truth.numpy()])
    found = Cumulative(5).losses(logits, truth, None, 0.0)
    np.testing.assert_allclose(found.numpy(), surprise, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("size", [1.0, 60.0])
def test_gradients_of_levels_are_finite_however_sure_the_net_is(size):
    for objective in (Corn(4), Cumulative(4)):
        raw = (size * random(8, 1)).requires_grad_()
        logits = OrderedCuts(3)(raw) if isinstance(objective, Cumulative) else raw.expand(-1, 3)
        objective.losses(logits, torch.arange(8) % 4, None, 0.0).sum().backward()
        assert torch.isfinite(raw.grad).all()


def test_a_value_between_two_levels_is_shared_out_among_them():
    said = LevelValue(4).probabilities(np.array([[-1.5], [0.0], [0.7], [9.0]]))  # 0 is the middle, 1.5
    np.testing.assert_allclose(
        said, [[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0.8, 0.2], [0, 0, 0, 1]], atol=1e-9
    )


# -- sets of labels


def test_each_label_is_asked_by_itself():
    logits, truth = random(6, 3), torch.tensor([[0, 1, 1], [0, 0, 0], [1, 1, 1]] * 2)
    wanted = F.binary_cross_entropy_with_logits(logits, truth.float(), reduction="none").mean(dim=1)
    assert torch.allclose(Binary(3).losses(logits, truth, None, 0.0), wanted)


# -- values


@pytest.mark.parametrize("loss", Values.losses)
def test_values_are_learned_standardised_and_said_in_their_unit(loss):
    truth = np.array([10.0, 20.0, 30.0])
    value = Value(0, loss).fitted(truth)
    perfect = torch.tensor((truth - truth.mean()) / truth.std(), dtype=torch.float32)[:, None]
    assert torch.allclose(
        value.losses(perfect, torch.from_numpy(truth), None, 0.0), torch.zeros(3), atol=1e-6
    )
    np.testing.assert_allclose(value.probabilities(perfect.numpy())[:, 0], truth, rtol=1e-6)
    assert Value(0, loss).restored(value.state()) == value
    wrong = value.losses(perfect + 2, torch.from_numpy(truth), None, 0.0)
    assert wrong.numpy() == pytest.approx({"mse": 4.0, "mae": 2.0, "huber": 1.5}[loss])


def test_a_target_without_spread_is_no_division_by_zero():
    value = Value(0).fitted(np.full(3, 7.0))
    assert value.probabilities(np.array([[0.0]])).tolist() == [[7.0]]


# -- which one


def test_every_kind_of_task_has_its_losses():
    names = ("a", "b", "c")
    for kind in TARGETS:
        target = target_of(kind, () if kind == "regression" else names)
        for loss in ("auto", *target.losses):
            objective = target.objective(loss)
            said = objective.probabilities(np.zeros((2, objective.outputs)))
            assert said.shape == (2, len(target.columns))
    with pytest.raises(
        ConfigError, match=r"readout.loss: of regression: 'corn' is not one of auto, mse, mae"
    ):
        target_of("regression").objective("corn")


# -- soft truths


@pytest.mark.parametrize(
    "objective", [CrossEntropy(3), Corn(3), Cumulative(3)], ids=lambda o: type(o).__name__
)
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_a_certain_soft_truth_has_the_loss_of_its_label(objective, weights):
    logits, labels = random(4, objective.outputs).sort(descending=True).values, torch.tensor([0, 1, 2, 1])
    soft = objective.expected_losses(logits, F.one_hot(labels, 3).double(), weights, 0.1)
    assert torch.allclose(soft, objective.losses(logits, labels, weights, 0.1))


def test_a_soft_truth_has_torchs_loss_of_probabilities():
    logits, shares = random(4, 3), torch.softmax(random(4, 3, seed=1), dim=1)
    found = CrossEntropy(3).expected_losses(logits, shares, None, 0.0)
    assert torch.allclose(found, F.cross_entropy(logits, shares, reduction="none"))


def test_soft_label_sets_and_values():
    logits, wanted = random(4, 3), torch.rand(4, 3, generator=torch.Generator().manual_seed(1))
    found = Binary(3).expected_losses(logits, wanted, None, 0.0)
    plain = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(dim=1)
    assert torch.allclose(found, plain)
    value = Value(0, center=10.0, scale=2.0)
    assert value.expected_losses(torch.tensor([[0.5]]), torch.tensor([[12.0]]), None, 0.0) == 0.25
