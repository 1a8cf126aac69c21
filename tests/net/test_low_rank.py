"""LoRA in one step against peft's own forward pass."""

import copy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora.layer import Linear
from torch import nn

from stratune.net.low_rank import fuse


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(12, 20), nn.Linear(20, 6)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def wrapped(**options):
    torch.manual_seed(0)
    config = LoraConfig(
        r=4, lora_alpha=6, target_modules=["first", "second"], init_lora_weights=False, **options
    )
    return get_peft_model(Two(), config)


def both(**options):
    theirs = wrapped(**options)
    ours = copy.deepcopy(theirs)
    fuse(ours)
    return ours, theirs


def is_fused(model):
    return [type(one) is not Linear for one in model.modules() if isinstance(one, Linear)]


@pytest.mark.parametrize("narrow", [False, True], ids=["float32", "bfloat16"])
def test_outputs_and_gradients_are_pefts(narrow):
    ours, theirs = both()
    assert is_fused(ours) == [True, True] and is_fused(theirs) == [False, False]
    inputs = torch.randn(3, 7, 12)
    found = []
    for model in (ours, theirs):
        x = inputs.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            y = model(x)
        y.float().square().sum().backward()
        found.append([y, x.grad, *(p.grad for p in model.parameters() if p.requires_grad)])
    for one, other in zip(*found, strict=True):
        assert one.dtype == other.dtype
        near = {"rtol": 0.05, "atol": 0.05 * other.abs().max().item()} if narrow else {}
        torch.testing.assert_close(one, other, **near)


def test_dropout_is_of_the_updates_input():
    torch.manual_seed(1)
    layer = nn.Sequential(nn.Linear(512, 512, bias=False))
    model = get_peft_model(layer, LoraConfig(r=512, lora_alpha=512, lora_dropout=0.2, target_modules=["0"]))
    fuse(model)
    (fused,) = (one for one in model.modules() if isinstance(one, Linear))
    for weight, value in (
        (fused.base_layer.weight, torch.zeros(512, 512)),
        (fused.lora_A["default"].weight, torch.eye(512)),
        (fused.lora_B["default"].weight, torch.eye(512)),
    ):
        weight.data = value
    x = torch.full((100, 512), 3.0, requires_grad=True)
    y = model.train()(x)
    assert (y == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    torch.testing.assert_close(y.unique(), torch.tensor([0.0, 3 / 0.8]), rtol=1e-4, atol=0)
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach() / 3)
    assert torch.equal(model.eval()(x), x)


def test_merged_it_computes_the_same():
    ours, _ = both()
    x = torch.randn(5, 12)
    before = ours.eval()(x)
    merged = ours.merge_and_unload()
    torch.testing.assert_close(merged(x), before)
    assert not any(isinstance(one, Linear) for one in merged.modules())


def test_a_disabled_adapter_is_not_there():
    ours, theirs = both()
    x = torch.randn(5, 12)
    with ours.disable_adapter(), theirs.disable_adapter():
        assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize("options", [{"use_dora": True}, {"lora_bias": True}], ids=str)
def test_other_methods_keep_their_own_forward_pass(options):
    ours, theirs = both(**options)
    assert is_fused(ours) == [False, False]
    x = torch.randn(5, 12)
    assert torch.equal(ours(x), theirs(x))
