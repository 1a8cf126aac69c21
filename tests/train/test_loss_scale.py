"""float16: the loss is scaled, steps that overflow are left out, and a training ends where float32's does."""

import dataclasses

import pytest
import torch

from stratune.errors import NonFiniteLoss
from stratune.train import loss_scale
from stratune.train.checkpoint import TrainingState
from stratune.train.loss_scale import FIRST, GROWS_AFTER, is_taken, scale_of, unscaled
from tests.helpers import adapted, learned, trained
from tests.train.loops import make_loop, optimiser_steps


def half(loop):
    loop.runtime = dataclasses.replace(loop.runtime, precision="float16")
    return loop


def test_the_scale_is_halved_by_an_overflow_and_doubled_after_many_steps_without():
    position = TrainingState()
    assert scale_of(position) == FIRST
    assert not is_taken(position, finite=False) and scale_of(position) == FIRST / 2
    taken = [is_taken(position, finite=True) for _ in range(GROWS_AFTER)]
    assert all(taken) and scale_of(position) == FIRST and position.steps_at_scale == 0


def test_gradients_are_those_of_the_loss():
    position = TrainingState()
    gradients = [torch.tensor([3.0, -1e-30]) * scale_of(position)]
    unscaled(gradients, position)
    assert torch.equal(gradients[0], torch.tensor([3.0, -1e-30]))


def test_the_optimiser_gets_what_it_gets_in_float32(tiny):
    seen = []
    for make in (lambda loop: loop, half):
        loop = make(make_loop(adapted("full", tiny("bert", hidden_dropout_prob=0.0)), epochs=1.0))
        with optimiser_steps() as steps:
            loop.run()
        names = {parameter: name for name, parameter in loop.net.trainable().items()}
        seen.append({names[p]: gradient for p, gradient in steps[0][0].items()})
    for name, wanted in seen[0].items():
        if wanted.abs().max() > 1e-3:
            assert (
                torch.nn.functional.cosine_similarity(seen[1][name].flatten(), wanted.flatten(), dim=0) > 0.98
            ), name


def test_steps_that_overflow_are_left_out_until_the_scale_fits(tiny, monkeypatch):
    monkeypatch.setattr(loss_scale, "FIRST", 2.0**24)
    loop = half(make_loop(adapted("full", tiny("bert")), epochs=8.0))
    with optimiser_steps() as steps:
        position = loop.run()
    assert position.loss_scale < 2.0**24 and 0 < len(steps) < position.step
    assert all(torch.isfinite(p).all() for p in loop.net.trainable().values())


def test_a_loss_that_is_never_finite_is_an_error_as_in_other_precisions(tiny, monkeypatch):
    monkeypatch.setattr(loss_scale, "FIRST", 2.0**-9)
    net = adapted("full", tiny("bert"))
    with torch.no_grad():
        next(iter(net.trainable().values())).fill_(float("nan"))
    with pytest.raises(NonFiniteLoss):
        half(make_loop(net, epochs=8.0)).run()


def test_a_training_ends_near_that_in_float32(tiny):
    plain = trained("lora", tiny("bert"), precision="float32")
    narrow = trained("lora", tiny("bert"), precision="float16")
    assert narrow.precision == "float16"
    for one, other in zip(plain.history, narrow.history, strict=True):
        assert other["val_loss"] == pytest.approx(one["val_loss"], abs=0.05)
    for name, tensor in learned(plain).items():
        assert torch.isfinite(learned(narrow)[name]).all() and learned(narrow)[name].shape == tensor.shape
