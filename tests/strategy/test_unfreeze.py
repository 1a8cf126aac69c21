"""Which of the pretrained weights learn."""

import pytest

from stratune.errors import ConfigError, UnsupportedError
from stratune.strategy import parse_strategy
from stratune.testing import MODEL_TYPES
from tests.helpers import adapted

HEAD = {"head.linear.weight", "head.linear.bias"}


def backbone_names(net):
    return {name.removeprefix("model.") for name in net.trainable() if name.startswith("model.")}


def test_untuned_learns_nothing(tiny):
    assert not adapted("untuned", tiny("bert")).trainable()


@pytest.mark.parametrize("family, head", [("bert", HEAD), ("llama", {"head.linear.weight"})])
def test_probe_learns_the_head(family, head, tiny):
    assert set(adapted("probe", tiny(family)).trainable()) == head


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize(
    "family, blocks, norm",
    [
        ("bert", "encoder.layer", None),
        ("distilbert", "transformer.layer", None),
        ("modernbert", "layers", "final_norm"),
        ("llama", "layers", "norm"),
        ("gpt2", "h", "ln_f"),
    ],
)
def test_partial_learns_the_last_blocks_the_norm_above_them_and_the_head(family, blocks, norm, k, tiny):
    net = adapted({"preset": "partial", "k": k}, tiny(family))
    tops = tuple(f"{blocks}.{i}." for i in range(3 - k, 3))
    everything = dict(net.backbone.model.named_parameters())
    wanted = {name for name in everything if name.startswith(tops) or (norm and name.startswith(f"{norm}."))}
    assert backbone_names(net) == wanted
    assert all(any(name.startswith(top) for name in wanted) for top in tops)


def test_partial_takes_two_blocks_by_default(tiny):
    assert parse_strategy("partial").tune.k == 2


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_full_learns_everything(family, tiny):
    net = adapted("full", tiny(family))
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("family", ["bert", "distilbert", "gpt2", "qwen2", "albert"])
def test_bitfit_learns_only_biases(family, tiny):
    net = adapted("bitfit", tiny(family))
    names = backbone_names(net)
    assert names and all(name.endswith("bias") for name in names)
    assert names == {name for name, _ in net.backbone.model.named_parameters() if name.endswith("bias")}


@pytest.mark.parametrize(
    "spec, family, message",
    [
        ("partial", "albert", "partial cannot run on .*: albert runs one set of weights as every block"),
        ({"preset": "partial", "k": 4}, "bert", "partial cannot run on .*: the top 4, but it has 3 blocks"),
        ("bitfit", "llama", "bitfit cannot run on .*: llama has no biases; use lora"),
    ],
)
def test_what_a_family_cannot_do(spec, family, message, tiny):
    with pytest.raises(UnsupportedError, match=message):
        adapted(spec, tiny(family))


def test_no_block_at_all_is_another_strategy():
    with pytest.raises(ConfigError, match="k: 0 is below 1 .to train the head alone, use `probe`"):
        parse_strategy({"preset": "partial", "k": 0})
