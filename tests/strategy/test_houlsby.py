"""Bottleneck adapters: how many numbers learn, what they compute, and where they start."""

import re

import pytest
import torch
from torch.nn import functional as F
from transformers import AutoModel

from stratune.errors import ConfigError, UnsupportedError
from stratune.strategy import parse_strategy
from stratune.testing import MODEL_TYPES
from stratune.testing.nets import net_of
from tests.helpers import adapted, batch_of, learned, logits_of, trained

WIDTH = 32


def houlsby(**options):
    return {"preset": "houlsby", **options}


def in_backbone(net):
    """Name -> tensor that learns, the head left out."""
    return {name: p for name, p in net.trainable().items() if not name.startswith("head.")}


def norm_numbers(family, folder):
    """Numbers of the norms inside blocks, by what their parameters are called."""
    backbone = adapted("probe", folder).backbone
    plain = AutoModel.from_pretrained(folder).get_submodule(backbone.family.blocks[0])
    found = [p.numel() for name, p in plain.named_parameters() if re.search(r"norm|ln_\d", name.lower())]
    assert found
    return sum(found)


@pytest.mark.parametrize("after, each", [("both", 2), ("feed_forward", 1)])
@pytest.mark.parametrize("reduction, inner", [(16, 2), (8, 4), (100, 1)])
@pytest.mark.parametrize("family", MODEL_TYPES)
def test_as_many_numbers_learn_as_two_small_layers_have(family, reduction, inner, after, each, tiny):
    net = adapted(houlsby(reduction=reduction, after=after), tiny(family))
    blocks = 1 if family == "albert" else 3
    adapter = (WIDTH * inner + inner) + (inner * WIDTH + WIDTH)
    wanted = blocks * each * adapter + norm_numbers(family, tiny(family))
    assert sum(p.numel() for p in in_backbone(net).values()) == wanted
    net = adapted(houlsby(reduction=reduction, after=after, layer_norms=False), tiny(family))
    assert sum(p.numel() for p in in_backbone(net).values()) == blocks * each * adapter


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_the_block_by_hand(family, tiny):
    """y + up(gelu(down(y))) on the output of both sub-layers, before anything else sees it."""
    net = adapted(houlsby(reduction=4), tiny(family))
    plain = adapted("probe", tiny(family)).backbone
    block, before = net.backbone.blocks[0], plain.blocks[0]
    for role in ("o", "down"):
        path = net.backbone.family.linears[role]
        layer, original = block.get_submodule(path), before.get_submodule(path)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in (*layer.down.parameters(), *layer.up.parameters()):
                parameter.normal_(generator=generator)
            rows = original.weight.shape[0] if family == "gpt2" else original.weight.shape[1]
            x = torch.randn(2, 5, rows, generator=generator)
            y = original(x)
            inner = F.gelu(y @ layer.down.weight.T + layer.down.bias)
            wanted = y + inner @ layer.up.weight.T + layer.up.bias
            assert torch.allclose(layer(x), wanted, atol=1e-4, rtol=1e-5)
            assert not torch.allclose(layer(x), y, atol=1e-2)


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_step_zero_is_nearly_the_pretrained_model_and_without_up_it_is_that_model(family, tiny):
    plain, net = adapted("probe", tiny(family)), adapted("houlsby", tiny(family))
    batch = batch_of(net)
    kept = batch.mask.bool()
    with torch.no_grad():
        wanted, found = plain.encode(batch)[kept], net.encode(batch)[kept]
        assert (found - wanted).norm() < 1e-2 * wanted.norm()
        assert not torch.equal(found, wanted)  # the start is small, not zero
        for name, parameter in net.trainable().items():
            if re.search(r"\.up\.(weight|bias)$", name):
                parameter.zero_()
        assert torch.equal(net(batch), plain(batch))


@pytest.mark.parametrize("family", ["bert", "llama", "gpt2", "modernbert"])
def test_only_the_last_blocks_learn(family, tiny):
    net = adapted(houlsby(last=1), tiny(family))
    assert net.frozen_blocks() == 2
    top = {id(p) for p in net.backbone.blocks[-1].parameters()}
    assert in_backbone(net) and all(id(p) in top for p in in_backbone(net).values())
    whole = adapted("houlsby", tiny(family))
    assert whole.frozen_blocks() == 0 and len(in_backbone(whole)) > 2 * len(in_backbone(net))


@pytest.mark.parametrize("last", [None, 2])
@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_training_changes_all_that_learns_and_the_rest_stays(family, last, tiny):
    run = trained(houlsby(last=last, learning_rate=1e-2), tiny(family))
    net = net_of(run.predictor.model)
    start = adapted(houlsby(last=last), tiny(family), seed=0)
    before = {name: p.detach() for name, p in start.named_parameters()}
    changed = {name for name, p in net.named_parameters() if not torch.equal(p.detach(), before[name])}
    assert changed == set(learned(run))


def test_one_seed_one_start(tiny):
    def ups(seed):
        return torch.cat(
            [p.flatten() for p in in_backbone(adapted("houlsby", tiny("bert"), seed=seed)).values()]
        )

    assert torch.equal(ups(3), ups(3)) and not torch.equal(ups(3), ups(4))


@pytest.mark.parametrize(
    "family, last, message",
    [
        ("bert", 4, "the top 4, but it has 3 blocks"),
        ("albert", 1, "one set of weights as every block: the last 1 cannot be trained alone"),
    ],
)
@pytest.mark.parametrize("preset", ["houlsby", "ia3", "prefix", "lora", "peft:vera"])
def test_blocks_that_are_not_there_are_refused(preset, family, last, message, tiny):
    with pytest.raises(UnsupportedError, match=f"{preset}.*{message}"):
        adapted({"preset": preset, "last": last}, tiny(family))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"reduction": 0}, "reduction: 0 is below 1"),
        ({"last": 0}, "last: 0 is below 1"),
        ({"after": "x"}, "after is 'x', but it should be 'both' or 'feed_forward'"),
        ({"reducton": 4}, r"'reducton' is not one of .*\(did you mean 'reduction'\?\)"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ConfigError, match=message):
        parse_strategy(houlsby(**options))


def test_lora_on_the_last_block_alone_trains_and_comes_back(tiny, tmp_path):
    from stratune.predictor.predictor import Predictor

    run = trained({"preset": "lora", "last": 1}, tiny("bert"))
    net = net_of(run.predictor.model)
    assert net.frozen_blocks() == 2
    assert all("layer.2." in name for name in in_backbone(net))
    texts = ["the cat saw rain", "snow"]
    again = Predictor.load(run.predictor.save(tmp_path / "model"))
    assert again.predict_proba(texts) == pytest.approx(run.predictor.predict_proba(texts), abs=1e-6)
    assert logits_of(run).shape == (4, 2)
