"""The net and its seam, against transformers' own forward."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModel

from stratune.net.pooling import pooled
from stratune.testing import DECODERS, MODEL_TYPES
from tests.helpers import TEXTS, adapted, batch_of, inputs_of

# ALBERT's blocks are one and the same, Longformer's see another length than the text's.
WITH_BLOCKS = [family for family in MODEL_TYPES if family not in ("albert", "longformer")]


def plain_model(folder, **options):
    return AutoModel.from_pretrained(folder, **options).eval()


def told(family, inputs):
    """What transformers has to be told to attend as the family is meant to."""
    if family == "longformer":  # the first token sees all
        inputs["global_attention_mask"] = torch.zeros_like(inputs["input_ids"])
        inputs["global_attention_mask"][:, 0] = 1
    return inputs


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_encode_equals_transformers_own_forward_row_by_row(family, tiny):
    net = adapted("probe", tiny(family))
    model, tokenizer = plain_model(tiny(family)), net.backbone.tokenizer
    batch = batch_of(net)
    with torch.no_grad():
        hidden = net.encode(batch)
        for text, row, mask in zip(TEXTS, hidden, batch.mask, strict=True):
            inputs = told(family, tokenizer(text, return_tensors="pt"))
            wanted = model(**inputs).last_hidden_state[0]
            assert torch.allclose(row[mask.bool()], wanted, atol=1e-5)


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_a_pair_is_encoded_as_the_tokenizer_of_the_family_has_it(family, tiny):
    net = adapted("probe", tiny(family))
    second = "\na dog" if family in DECODERS else "a dog"
    inputs = net.backbone.tokenizer("the cat", second, return_tensors="pt")
    with torch.no_grad():
        wanted = plain_model(tiny(family))(**told(family, inputs)).last_hidden_state
        assert torch.allclose(net.encode(batch_of(net, ["the cat"], ["a dog"])), wanted, atol=1e-5)


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("family", WITH_BLOCKS)
def test_bottom_gives_the_hidden_states_that_transformers_gives(family, depth, tiny):
    net = adapted("probe", tiny(family))
    batch = batch_of(net)
    with torch.no_grad():
        wanted = plain_model(tiny(family))(**inputs_of(batch), output_hidden_states=True).hidden_states[depth]
        found = net.bottom(batch, depth)
    kept = batch.mask.bool()
    assert torch.allclose(found[kept], wanted[kept], atol=1e-5)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("family", WITH_BLOCKS)
def test_going_on_from_the_seam_equals_the_plain_forward(family, depth, tiny):
    net = adapted("probe", tiny(family))
    batch = batch_of(net)
    cached = replace(batch, hidden=net.bottom(batch, depth), depth=depth)
    blind = replace(cached, ids=torch.full_like(batch.ids, int(batch.ids.max())))
    with torch.no_grad():
        wanted = net(batch)
        assert torch.allclose(net(cached), wanted, atol=1e-5)
        if family != "roberta":  # finds its padding in the ids
            assert torch.allclose(net(blind), wanted, atol=1e-5), "the skipped blocks have a say"
        assert torch.equal(net(batch), wanted), "the seam has left something behind"


@pytest.mark.parametrize("family", WITH_BLOCKS)
def test_gradients_above_the_seam_equal_those_of_the_plain_forward(family, tiny):
    net = adapted({"preset": "partial", "k": 1}, tiny(family))
    batch = batch_of(net)
    cached = replace(batch, hidden=net.bottom(batch, 2), depth=2)
    gradients = [
        torch.autograd.grad(net(b).square().sum(), list(net.trainable().values())) for b in (batch, cached)
    ]
    for name, plain, resumed in zip(net.trainable(), *gradients, strict=True):
        assert torch.allclose(plain, resumed, atol=1e-5 * max(1.0, float(plain.abs().max()))), name


@pytest.mark.parametrize("family", MODEL_TYPES)
@pytest.mark.parametrize("pool", ["first", "mean", "last"])
def test_a_pool_sees_only_what_the_mask_keeps(family, pool, tiny):
    net = adapted({"preset": "probe", "readout": {"pool": pool}}, tiny(family))
    with torch.no_grad():
        together = net(batch_of(net))
        alone = torch.cat([net(batch_of(net, [text])) for text in TEXTS])
    assert torch.allclose(together, alone, atol=1e-5)


def test_pooling_by_hand():
    hidden = torch.arange(12, dtype=torch.float32).view(1, 4, 3)
    mask = torch.tensor([[0, 1, 1, 0]])
    assert pooled(hidden, mask, "first").tolist() == [[3, 4, 5]]
    assert pooled(hidden, mask, "last").tolist() == [[6, 7, 8]]
    assert pooled(hidden, mask, "mean").tolist() == [[4.5, 5.5, 6.5]]


@pytest.mark.parametrize(
    "spec, depth",
    [
        ("untuned", 3),
        ("probe", 3),
        ({"preset": "partial", "k": 1}, 2),
        ({"preset": "partial", "k": 2}, 1),
        ({"preset": "partial", "k": 3}, 0),
        ("full", 0),
        ("bitfit", 0),
        ("lora", 0),
    ],
)
@pytest.mark.parametrize("family", ["bert", "qwen2", "gpt2"])
def test_blocks_below_everything_that_learns_are_the_frozen_ones(spec, depth, family, tiny):
    assert adapted(spec, tiny(family)).frozen_blocks() == depth


def test_only_blocks_that_learn_are_in_train_mode(tiny):
    net = adapted({"preset": "partial", "k": 1}, tiny("bert")).train()
    blocks = net.backbone.blocks
    assert [block.training for block in blocks] == [False, False, True]
    assert all(module.training for module in blocks[2].modules())
    assert not any(module.training for module in net.backbone.model.embeddings.modules())
    assert net.head.dropout.training
    assert not any(module.training for module in net.eval().modules())


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_everything_is_in_train_mode_when_everything_learns(family, tiny):
    net = adapted("full", tiny(family)).train()
    still = [name for name, m in net.named_modules() if isinstance(m, torch.nn.Dropout) and not m.training]
    assert not still


def test_a_head_that_does_not_learn_has_no_dropout(tiny):
    assert not adapted("untuned", tiny("bert")).train().head.dropout.training


def test_logits_are_float32_under_autocast(tiny):
    net = adapted("probe", tiny("bert"))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert net(batch_of(net)).dtype == torch.float32
