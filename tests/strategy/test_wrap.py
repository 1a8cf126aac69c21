"""A technique of somebody else's that puts a module around the model, without peft."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from stratune.predictor.predictor import Predictor
from stratune.strategy import PRESETS, TUNES, Recipe, register
from stratune.testing import contract
from stratune.testing.nets import net_of
from tests.helpers import TEXTS, trained


class Gate(nn.Module):
    """The model's hidden states, turned by a random matrix that stays as it is, times numbers that train."""

    def __init__(self, model, width):
        super().__init__()
        self.model = model
        self.turn = nn.Linear(width, width, bias=False).requires_grad_(False)
        self.gate = nn.Parameter(torch.ones(width))

    def forward(self, **inputs):
        output = self.model(**inputs)
        output.last_hidden_state = self.turn(output.last_hidden_state) * self.gate
        return output


@pytest.fixture
def gated():
    kept = dict(TUNES), dict(PRESETS)

    @register("gated", recipe=Recipe(learning_rate=1e-2))
    @dataclass(frozen=True)
    class Gated:
        """A gate on the hidden states is trained, and the head."""

        def adapt(self, net):
            net.wrap(lambda model: Gate(model, net.backbone.width))

    yield "gated"
    for table, before in zip((TUNES, PRESETS), kept, strict=True):
        table.clear()
        table.update(before)


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_it_is_trained_saved_and_loaded_with_what_it_drew(gated, family, tiny, tmp_path):
    run = trained(gated, tiny(family))
    net = net_of(run.predictor.model)
    assert set(net.trainable()) >= {"model.gate", "head.linear.weight"} and net.frozen_blocks() == 0
    assert (net.model.gate != 1).any()
    folder = run.predictor.save(tmp_path / "model")
    torch.manual_seed(12345)  # what it draws anew while it is loaded must not matter
    again = Predictor.load(folder)
    assert torch.equal(net_of(again.model).model.turn.weight, net.model.turn.weight)
    np.testing.assert_allclose(again.predict_proba(TEXTS), run.predictor.predict_proba(TEXTS), atol=1e-6)


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_the_contract(check, gated, tiny, tmp_path):
    check(gated, tiny("bert"), tmp_path)
