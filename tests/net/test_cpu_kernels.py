"""Dropout and attention of ours against torch's."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from stratune.net import cpu_kernels
from stratune.net.cpu_kernels import CpuKernels, attention

NEARLY_NONE = 1e-9  # a dropout that ours rounds to none, and for which it multiplies by hand


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_dropout_keeps_the_mean_and_drops_the_share(dtype):
    torch.manual_seed(0)
    x = torch.full((1000, 1003), 2.0, dtype=dtype, requires_grad=True)
    with CpuKernels():
        y = nn.Dropout(0.1)(x)
    dropped = (y == 0).float().mean().item()
    assert dropped == pytest.approx(0.1, abs=0.002)
    exact = 2.0 / (1 - round(0.1 * 32768) / 32768)
    assert torch.equal(y.unique(), torch.tensor([0.0, exact], dtype=dtype))
    for dim in (0, 1):  # each row and each column, so none of the four parts of a word is drawn otherwise
        shares = (y == 0).float().mean(dim=dim)
        assert (shares - 0.1).abs().max() < 5 * (0.09 / 1000) ** 0.5
    for part in range(4):
        assert (y.flatten()[part::4] == 0).float().mean().item() == pytest.approx(0.1, abs=0.003)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach() / 2.0)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_dropout_of_nothing_and_of_all_is_torchs(probability):
    x = torch.randn(5, 3)
    with CpuKernels():
        found = functional.dropout(x, probability)
    assert torch.equal(found, functional.dropout(x, probability))


@pytest.mark.parametrize("rows", [64, 6400])  # by torch, and by numpy
def test_the_same_seed_draws_the_same(rows):
    x = torch.ones(rows, 7)
    drawn = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        with CpuKernels():
            drawn.append(functional.dropout(x, 0.3))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
    assert (drawn[0] == 0).float().mean().item() == pytest.approx(0.3, abs=0.05)


def test_a_module_that_does_not_train_drops_nothing():
    x = torch.randn(4, 4)
    with CpuKernels():
        assert torch.equal(nn.Dropout(0.5).eval()(x), x)


def masks(rows, length):
    seen = torch.ones(rows, 1, length, length, dtype=torch.bool)
    seen[0, :, :, -3:] = False
    return {"none": None, "padding": seen, "added": torch.zeros(seen.shape).masked_fill(~seen, -1e9)}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("mask", ["none", "padding", "added"])
@pytest.mark.parametrize("groups", [4, 2, 1])
def test_attention_is_torchs(mask, groups, causal):
    if causal and mask != "none":
        return  # torch takes one of them
    torch.manual_seed(1)
    tensors = [torch.randn(2, n, 9, 8, requires_grad=True) for n in (4, groups, groups)]
    copies = [one.detach().clone().requires_grad_() for one in tensors]
    options = {"is_causal": causal, "scale": 0.3, "enable_gqa": groups < 4}
    ours = attention(*tensors, masks(2, 9)[mask], NEARLY_NONE, **options)
    plain = functional.scaled_dot_product_attention(*copies, masks(2, 9)[mask], 0.0, **options)
    torch.testing.assert_close(ours, plain)
    ours.square().sum().backward()
    plain.square().sum().backward()
    for one, other in zip(tensors, copies, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_a_query_that_may_attend_to_nothing_stays_finite():
    query, key, value = (torch.randn(1, 1, 4, 8, requires_grad=True) for _ in range(3))
    seen = torch.ones(4, 4, dtype=torch.bool).tril(-1)[None, None]  # the first attends to nothing
    for mask in (seen, torch.zeros(seen.shape).masked_fill(~seen, -torch.inf)):
        found = attention(query, key, value, mask, NEARLY_NONE)
        query.grad = None
        found[:, :, 1:].sum().backward()
        assert found.isfinite().all() and query.grad.isfinite().all()


def test_attention_drops_what_it_should():
    torch.manual_seed(2)
    query, key = (torch.zeros(4, 2, 100, 8, requires_grad=True) for _ in range(2))
    value = torch.eye(100).expand(4, 2, -1, -1)
    with CpuKernels():
        weights = functional.scaled_dot_product_attention(query, key, value, dropout_p=0.2)
    assert (weights == 0).float().mean().item() == pytest.approx(0.2, abs=0.005)
    assert weights.mean().item() == pytest.approx(0.01, rel=0.02)


def test_long_or_wide_attention_without_dropout_is_left_to_torch(monkeypatch):
    called = []
    monkeypatch.setattr(cpu_kernels, "_scores", lambda *given: called.append(1) or torch.zeros(1, 1, 4, 4))
    short = [torch.randn(1, 1, 4, 8, requires_grad=True) for _ in range(3)]
    attention(*short)
    assert not called  # float32
    with torch.autocast("cpu", torch.bfloat16):
        attention(*short)
    assert called
    called.clear()
    long = [torch.randn(1, 1, cpu_kernels.SHORT + 1, 8, requires_grad=True) for _ in range(3)]
    with torch.autocast("cpu", torch.bfloat16):
        attention(*long)
    with torch.no_grad():
        attention(*(one.bfloat16() for one in short))
    assert not called
