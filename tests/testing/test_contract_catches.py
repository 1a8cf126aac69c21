"""Each check of the contract, against a strategy that breaks the promise which the check is about."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from stratune.errors import UnsupportedError
from stratune.strategy import BASELINES, PRESETS, TUNES, Recipe, register
from stratune.strategy.baselines import Majority, PriorModel
from stratune.testing import CHECKS, checks_of


def named(name):
    return next(check for check in CHECKS if check.__name__ == name)


@pytest.fixture
def caught(tiny, tmp_path):
    """`caught(technique, check)` is what the check says of it. The technique is forgotten after the test."""
    names = []

    def message(technique, check, **options):
        name = technique.__name__
        register(name, recipe=Recipe(learning_rate=3e-2))(technique)
        names.append(name)
        with pytest.raises(AssertionError) as raised:
            named(check)({"preset": name, **options}, tiny("bert"), tmp_path)
        return str(raised.value)

    yield message
    for name in names:
        del TUNES[name], PRESETS[name]


def on_hidden(net, change):
    """`change` is made to what the last block gives (B, T, C)."""
    net.backbone.blocks[-1].register_forward_hook(lambda block, inputs, hidden: change(hidden))


class Sound:
    """A probe: nothing but the head is trained."""

    def adapt(self, net):
        pass


@dataclass(frozen=True)
class ChangesFrozenWeights(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        with torch.no_grad():
            next(net.backbone.model.parameters()).mul_(1.01)


@dataclass(frozen=True)
class TakesTensorsAway(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        net.backbone.model.embeddings.LayerNorm = torch.nn.Identity()


@dataclass(frozen=True)
class NeverUsed(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        net.head.register_parameter("extra", torch.nn.Parameter(torch.ones(3)))


@dataclass(frozen=True)
class UsedForNothing(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        extra = torch.nn.Parameter(torch.ones(()))
        net.head.register_parameter("extra", extra)
        on_hidden(net, lambda hidden: hidden + 0 * extra)


@dataclass(frozen=True)
class GoesUphill(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        for parameter in net.head.parameters():
            parameter.register_hook(torch.neg)


@dataclass(frozen=True)
class MovesWithoutTraining(Sound):
    """Breaks a promise."""

    trains: ClassVar[bool] = False

    def adapt(self, net):
        net.head.requires_grad_(False)
        noise = torch.Generator()
        noise.seed()
        drift = torch.randn(net.backbone.width, generator=noise)
        on_hidden(net, lambda hidden: hidden + drift)


@dataclass(frozen=True)
class ReadsTheWholeBatch(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        on_hidden(net, lambda hidden: hidden - hidden[:, :1].mean(dim=0, keepdim=True))


@dataclass(frozen=True)
class CountsPositions(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        on_hidden(net, lambda hidden: hidden * torch.arange(1, hidden.shape[1] + 1)[:, None])


@dataclass(frozen=True)
class LosesATensor(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        drawn = torch.randn(net.backbone.width)  # neither a parameter nor drawn again from the same state
        on_hidden(net, lambda hidden: hidden + drawn)


@dataclass(frozen=True)
class BlindToLongTexts(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        on_hidden(net, lambda hidden: hidden if hidden.shape[1] < 100 else hidden * float("nan"))


@dataclass(frozen=True)
class DrawsWithoutASeed(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        generator = torch.Generator()
        generator.seed()
        with torch.no_grad():
            net.head.linear.weight.add_(torch.randn(net.head.linear.weight.shape, generator=generator))


@dataclass(frozen=True)
class SeesNoSeed(Sound):
    """Breaks a promise."""

    trains: ClassVar[bool] = False

    def adapt(self, net):
        net.head.requires_grad_(False)
        with torch.no_grad():
            net.head.linear.weight.copy_(torch.eye(*net.head.linear.weight.shape))


@dataclass(frozen=True)
class RefusesEverything(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        raise UnsupportedError("refuses", net.backbone.id, "not today")


@dataclass(frozen=True)
class GivesNoReason(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        raise UnsupportedError("refuses", net.backbone.id, " ")


@dataclass(frozen=True)
class AnswersInAnotherUnit(Sound):
    """Breaks a promise."""

    def adapt(self, net):
        if net.objective.outputs == 1:
            net.head.register_forward_hook(lambda module, inputs, logits: logits + 100)


@dataclass(frozen=True)
class ForgetsItsOption(Sound):
    """Breaks a promise."""

    size: int = 1

    def __post_init__(self):
        object.__setattr__(self, "size", self.size + 1)


@dataclass(frozen=True)
class NeedsAnOption(Sound):
    """Breaks a promise."""

    size: int


BROKEN = [
    (ChangesFrozenWeights, "check_frozen_stays_frozen", "frozen tensor embeddings.* has changed"),
    (TakesTensorsAway, "check_frozen_stays_frozen", "pretrained tensors are gone: .*LayerNorm"),
    (NeverUsed, "check_learning_tensors_get_gradients", "head.extra is trainable, but the loss does not"),
    (UsedForNothing, "check_learning_tensors_get_gradients", "the gradient of head.extra is zero"),
    (GoesUphill, "check_loss_falls", "the loss rose, 0.* to"),
    (MovesWithoutTraining, "check_loss_falls", "nothing is trained, and yet the loss has moved"),
    (ReadsTheWholeBatch, "check_batch_equals_single", "a batch and its texts one by one: they differ by"),
    (CountsPositions, "check_padding_side_changes_nothing", "padding left and right: they differ by"),
    (LosesATensor, "check_saved_is_the_same", "the saved model.* they differ by"),
    (BlindToLongTexts, "check_a_text_of_ten_windows", "a long text: not every row has an answer"),
    (DrawsWithoutASeed, "check_seed_decides", "the same seed gave other numbers"),
    (SeesNoSeed, "check_seed_decides", "another seed gave the same numbers"),
    (RefusesEverything, "check_task_kinds", "every kind of task is refused .*regression: not today"),
    (GivesNoReason, "check_task_kinds", "a task of kind classification is refused without a reason"),
    (AnswersInAnotherUnit, "check_task_kinds", "values of 990 and 1,010 are answered in another unit"),
    (ForgetsItsOption, "check_settings_round_trip", "settings do not survive JSON"),
]


@pytest.mark.parametrize(
    ("technique", "check", "says"), BROKEN, ids=[technique.__name__ for technique, *_ in BROKEN]
)
def test_a_broken_promise_is_found_by_its_check(technique, check, says, caught):
    message = caught(technique, check)
    assert re.search(says, message), message


def test_an_option_without_a_default_is_found(caught):
    assert caught(NeedsAnOption, "check_default_constructible", size=3) == (
        "NeedsAnOption: give size a default"
    )


@dataclass(frozen=True)
class FirstLabelWins(Majority):
    """Breaks a promise."""

    name: str = "first_label_wins"

    def settings(self):
        return {"name": self.name, "preset": "first_label_wins"}

    def fit(self, train, val, task, seed):
        return PriorModel(np.array([0.7, 0.3]))


def test_a_baseline_that_goes_by_the_place_of_a_label_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(BASELINES, "first_label_wins", FirstLabelWins)
    with pytest.raises(AssertionError, match="with the labels in another order: they differ by 0.4"):
        named("check_labels_go_by_name")("first_label_wins", None, tmp_path)


@dataclass(frozen=True)
class OtherEveryTime(FirstLabelWins):
    """Breaks a promise."""

    name: str = "other_every_time"

    def settings(self):
        return {"name": self.name, "preset": "other_every_time"}

    def fit(self, train, val, task, seed):
        class Turning(PriorModel):
            def predictions(self, rows):
                self.prior[:] = self.prior[::-1].copy()
                return super().predictions(rows)

        return Turning(np.array([0.7, 0.3]))


def test_a_baseline_whose_labels_are_others_each_time_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(BASELINES, "other_every_time", OtherEveryTime)
    with pytest.raises(AssertionError, match="calibration has moved a label"):
        named("check_calibration_moves_no_label")("other_every_time", None, tmp_path)


def test_every_check_is_seen_to_fail():
    here = {check for _, check, _ in BROKEN} | {"check_default_constructible", "check_labels_go_by_name"}
    here.add("check_calibration_moves_no_label")
    assert here == {check.__name__ for check in CHECKS}


OF_WEIGHTS = {
    "check_frozen_stays_frozen",
    "check_learning_tensors_get_gradients",
    "check_loss_falls",
    "check_padding_side_changes_nothing",
}


@pytest.mark.parametrize(
    ("strategy", "left_out"),
    [
        ("lora", set()),
        ("untuned", {"check_learning_tensors_get_gradients"}),
        ("few_shot", {"check_learning_tensors_get_gradients"}),
        ("completion", set()),
        ("majority", OF_WEIGHTS),
        ("ensemble", OF_WEIGHTS),
    ],
)
def test_a_check_that_cannot_fail_is_no_cell_and_passes_at_once(strategy, left_out, tmp_path):
    others = [check for check in CHECKS if check not in checks_of(strategy)]
    assert {check.__name__ for check in others} == left_out
    for check in others:
        check(strategy, tmp_path / "nowhere", tmp_path)
