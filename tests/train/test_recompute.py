"""Gradient checkpointing: the same numbers, fewer of them kept."""

import pytest
import torch

from stratune.errors import UnsupportedError
from stratune.testing import MODEL_TYPES
from tests.helpers import adapted, batch_of, learned, trained

SPECS = ["full", "lora", "soft_prompt", "prefix", "houlsby"]


def gradients(spec, folder, recompute):
    net = adapted(spec, folder)
    runs = [0]
    if recompute:
        net.recompute()
    leaves = (m for m in net.backbone.blocks[-1].modules() if not list(m.children()))
    inside = next(leaves)  # the hooks of the block itself do not run again
    inside.register_forward_pre_hook(lambda *_: runs.__setitem__(0, runs[0] + 1))
    net.train()
    torch.manual_seed(1)  # of dropout
    net(batch_of(net)).square().sum().backward()
    return {name: p.grad for name, p in net.trainable().items() if p.grad is not None}, runs[0]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("family", sorted(set(MODEL_TYPES) - {"albert"}))
def test_gradients_are_the_same_and_blocks_run_twice(family, spec, tiny):
    try:
        plain, once = gradients(spec, tiny(family), recompute=False)
    except UnsupportedError:
        pytest.skip(f"{spec} is refused on {family} (docs/support.md)")
    again, runs = gradients(spec, tiny(family), recompute=True)
    assert plain.keys() == again.keys() and runs == 2 * once
    for name, gradient in plain.items():
        torch.testing.assert_close(again[name], gradient, atol=1e-6, rtol=1e-4)


def test_training_with_it_ends_in_the_same_place(tiny):
    plain = trained("lora", tiny("bert"))
    again = trained("lora", tiny("bert"), gradient_checkpointing=True)
    for one, other in zip(plain.history, again.history, strict=True):
        assert other["val_loss"] == pytest.approx(one["val_loss"], abs=1e-5)


def test_a_model_that_cannot_is_refused(tiny):
    with pytest.raises(UnsupportedError, match="gradient_checkpointing.*cannot run twice"):
        adapted("full", tiny("albert")).recompute()


def test_it_recomputes_from_frozen_activations_where_there_are_any(tiny):
    """The first trainable block starts from what was cached, in the backward pass as well."""
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    spec = {"preset": "partial", "k": 1, "readout": {"dropout": 0.0}}
    plain = learned(trained(spec, tiny("bert", **still)))
    again = learned(trained(spec, tiny("bert", **still), gradient_checkpointing=True))
    for name, tensor in plain.items():
        torch.testing.assert_close(again[name], tensor, atol=1e-6, rtol=1e-4)
