"""Casts that are kept give what autocast gives, and are made again where a weight changed."""

import pytest
import torch
from torch import nn

from stratune.backbone import casts as module
from stratune.backbone.casts import Casts, KeptCasts
from stratune.backbone.load import load_backbone
from stratune.net.cpu_kernels import CpuKernels
from stratune.objective.classes import CrossEntropy
from stratune.readout.head import Head
from stratune.testing.nets import fresh_net
from stratune.tokens.batches import Batch


@pytest.fixture
def layers():
    torch.manual_seed(0)
    return [nn.Linear(16, 16) for _ in range(3)]


def run(layers, x, casts):
    with torch.autocast("cpu", torch.bfloat16), CpuKernels(casts):
        return sum(layer(x).float() for layer in layers)


def test_products_and_gradients_are_those_of_autocast(layers):
    x = torch.randn(5, 16, requires_grad=True)
    layers[0].requires_grad_(False)
    found, plain = [], []
    for kept, casts in ((found, Casts()), (plain, None)):
        y = run(layers, x, casts)
        wanted = [x, *(p for layer in layers[1:] for p in layer.parameters())]
        kept += [y, *torch.autograd.grad(y.square().sum(), wanted)]
    assert all(
        torch.equal(one, other) for one, other in zip(found, plain, strict=True) if one.shape != x.shape
    )
    torch.testing.assert_close(found[1], plain[1], rtol=0.02, atol=0.02)  # summed in bfloat16


def test_a_frozen_weight_is_cast_once_and_again_when_it_changed(layers, monkeypatch):
    layer = layers[0].requires_grad_(False)
    casts, x = Casts(), torch.randn(5, 16)
    made = []
    whole = Casts.of_weight
    monkeypatch.setattr(Casts, "of_weight", lambda self, weight: made.append(whole(self, weight)) or made[-1])
    first = run([layer], x, casts)
    assert torch.equal(run([layer], x, casts), first)
    assert made[0] is made[2] and made[1] is made[3] and made[0].dtype == torch.bfloat16

    layer.weight.mul_(2)
    changed = run([layer], x, casts)
    assert torch.equal(changed, run([layer], x, None)) and not torch.equal(changed, first)
    layer.weight.data = torch.zeros(16, 16)
    assert torch.equal(run([layer], x, casts), run([layer], x, None))


def test_a_weight_that_is_trained_is_left_to_autocast_unless_nothing_trains_it_any_more(layers):
    casts, x = Casts(), torch.randn(5, 16)
    weight = layers[0].weight
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert casts.of_weight(weight) is weight
        casts.all_weights = True
        assert casts.of_weight(weight).dtype == torch.bfloat16
    with torch.autocast("cpu", torch.bfloat16):
        assert casts.of_weight(weight) is weight  # it asks for a gradient
    with torch.inference_mode():
        assert torch.equal(run(layers, x, casts), run(layers, x, None))
    run(
        layers, torch.randn(5, 16, requires_grad=True), casts
    ).sum().backward()  # no tensor of inference is met


def test_an_input_that_several_layers_read_is_cast_once_and_forgotten(layers):
    casts, x = Casts(), torch.randn(5, 16, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16), CpuKernels(casts):
        narrow = casts.of_input(x)
        assert casts.of_input(x) is narrow and casts.of_input(x + 0) is not narrow
        layers[0](x)
        assert casts._input is not None
    assert casts._input is None
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        before = casts.of_input(y := torch.zeros(2, 2))
        y += 1
        assert torch.equal(casts.of_input(y), torch.ones(2, 2, dtype=torch.bfloat16))
        assert torch.equal(before, torch.zeros(2, 2, dtype=torch.bfloat16))


def test_no_more_is_kept_than_there_is_room_for(layers, monkeypatch):
    monkeypatch.setattr(module, "MOST", 300)
    casts, (one, other) = Casts(), (layer.requires_grad_(False) for layer in layers[:2])
    with torch.autocast("cpu", torch.bfloat16):
        assert casts.of_weight(one.weight).dtype == torch.bfloat16
        assert casts.of_weight(other.weight) is other.weight


def test_without_autocast_nothing_is_cast(layers):
    x = torch.randn(5, 16)
    with CpuKernels(Casts()):
        assert layers[0](x).dtype == torch.float32


def test_nets_on_the_same_tensors_keep_one_cast(tiny):
    backbone = load_backbone(str(tiny("bert")))
    ids = torch.tensor([[7, 8, 9, 10]])
    batch, found = Batch(ids, torch.ones_like(ids)), []
    for one in (backbone, backbone.sharing(), backbone.sharing()):
        net = fresh_net(one, Head(), CrossEntropy(2)).eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            found.append(net.encode(batch))
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    linears = [one for one in backbone.model.modules() if isinstance(one, nn.Linear)]
    assert backbone.casts.count == sum(p.numel() for one in linears for p in one.parameters()) > 0


def test_an_address_that_another_weight_has_now_is_cast_again():
    kept = KeptCasts()
    memory = torch.randn(2, 16)
    first = nn.Parameter(memory[0], False)
    before = kept.of(first, torch.bfloat16)
    assert kept.of(first, torch.bfloat16) is before
    del first
    assert kept.count == 0  # nothing is kept of a weight that is no more
    memory[0] = 1.0
    later = nn.Parameter(memory[0], False)
    assert torch.equal(kept.of(later, torch.bfloat16), torch.ones(16, dtype=torch.bfloat16))
