"""LoRA, with peft used directly as the oracle."""

import json
import math

import pytest
import torch
from peft import PeftModel
from torch.nn import functional as F
from transformers import AutoModel

from stratune.errors import ConfigError
from stratune.model.net_files import peft_unwarned
from stratune.net.pooling import pooled
from stratune.strategy import parse_strategy
from stratune.strategy.lora import linear_names
from stratune.testing import MODEL_TYPES
from stratune.testing.nets import net_of
from tests.helpers import adapted, batch_of, inputs_of, trained

FAMILIES_OF_ALL_SHAPES = ("bert", "distilbert", "deberta-v2", "modernbert", "albert", "llama", "gpt2")


def in_and_out(linear):
    """Of a torch Linear, or of GPT-2's Conv1D, which stores its weight transposed."""
    rows, columns = linear.weight.shape
    return rows, columns


@pytest.mark.parametrize("rank", [1, 4])
@pytest.mark.parametrize("targets", ["all", "attention", "feed_forward"])
@pytest.mark.parametrize("family", MODEL_TYPES)
def test_rank_times_in_plus_out_numbers_learn_for_each_target(family, targets, rank, tiny):
    net = adapted({"preset": "lora", "rank": rank, "targets": targets}, tiny(family))
    plain = AutoModel.from_pretrained(tiny(family))
    names = linear_names(adapted("probe", tiny(family)).backbone, targets)
    assert names
    wanted = sum(rank * sum(in_and_out(plain.get_submodule(name))) for name in names)
    found = sum(p.numel() for name, p in net.trainable().items() if not name.startswith("head."))
    assert found == wanted


@pytest.mark.parametrize(
    "family, targets, ends",
    [
        ("bert", "attention", {"query", "key", "value", "attention.output.dense"}),
        ("bert", ("q", "v"), {"query", "value"}),
        ("bert", "feed_forward", {"intermediate.dense", "output.dense"}),
        ("distilbert", ["up", "attention"], {"lin1", "q_lin", "k_lin", "v_lin", "out_lin"}),
        ("deberta-v2", "q", {"query_proj"}),
        ("llama", ("q", "gate"), {"q_proj", "gate_proj"}),
        ("gpt2", "attention", {"c_attn", "attn.c_proj"}),
        ("gpt2", "qkv", {"c_attn"}),
        ("modernbert", "qkv", {"Wqkv"}),
        ("modernbert", "feed_forward", {"mlp.Wi", "mlp.Wo"}),
    ],
)
def test_targets_are_roles_in_every_block(family, targets, ends, tiny):
    names = linear_names(adapted("probe", tiny(family)).backbone, targets)
    assert len(names) == 3 * len(ends)
    assert {end for end in ends if any(name.endswith(end) for name in names)} == ends
    assert all(any(name.endswith(end) for end in ends) for name in names)


@pytest.mark.parametrize(
    "family, role, message",
    [
        ("gpt2", "q", "targets: 'q' is not one of all, attention, feed_forward, qkv, o, up, down"),
        ("bert", "atention", r"targets: 'atention' is not one of .*\(did you mean 'attention'\?\)"),
    ],
)
def test_an_unknown_role_is_refused_with_those_of_the_family(family, role, message, tiny):
    with pytest.raises(ConfigError, match=message):
        adapted({"preset": "lora", "targets": role}, tiny(family))


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_step_zero_is_the_pretrained_model(family, tiny):
    plain, lora = adapted("probe", tiny(family)), adapted("lora", tiny(family))
    with torch.no_grad():
        assert torch.allclose(lora(batch_of(lora)), plain(batch_of(plain)), atol=1e-6)


@pytest.mark.parametrize(
    "options", [{}, {"dora": True}, {"rslora": True, "alpha": 3}], ids=["lora", "dora", "rslora"]
)
@pytest.mark.parametrize("family", FAMILIES_OF_ALL_SHAPES)
def test_peft_reads_what_we_saved_and_computes_the_same(family, options, tiny, tmp_path):
    run = trained({"preset": "lora", "rank": 4, **options}, tiny(family))
    folder = run.predictor.save(tmp_path / "model")
    with peft_unwarned():
        theirs = PeftModel.from_pretrained(AutoModel.from_pretrained(tiny(family)), folder).eval()
    net = net_of(run.predictor.model)
    batch = batch_of(net)
    net.eval()
    with torch.no_grad():
        ours = net.encode(batch)
        hidden = theirs(**inputs_of(batch)).last_hidden_state
        kept = batch.mask.bool()
        assert torch.allclose(ours[kept], hidden[kept], atol=1e-5)
        assert torch.allclose(
            net(batch), net.head.classify(pooled(hidden, batch.mask, net.head.pool)), atol=1e-5
        )


@pytest.mark.parametrize("rslora", [False, True])
def test_the_update_by_hand(rslora, tiny):
    """W x + scale B A x, scale alpha / rank, or alpha / sqrt(rank)."""
    net = adapted({"preset": "lora", "rank": 4, "alpha": 6, "targets": "q", "rslora": rslora}, tiny("bert"))
    layer = net.backbone.blocks[0].attention.self.query
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    x = torch.randn(2, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        b.normal_(generator=torch.Generator().manual_seed(1))
        scale = 6 / (math.sqrt(4) if rslora else 4)
        wanted = F.linear(x, layer.base_layer.weight, layer.base_layer.bias) + scale * (x @ a.T) @ b.T
        assert torch.allclose(layer(x), wanted, atol=1e-5)


def test_alpha_is_twice_the_rank_unless_given(tiny):
    def alpha(spec):
        return adapted({"preset": "lora", **spec}, tiny("bert")).model.peft_config["default"].lora_alpha

    assert alpha({}) == 32 and alpha({"rank": 4}) == 8 and alpha({"rank": 4, "alpha": 4}) == 4


def test_dora_learns_magnitudes_too(tiny):
    names = adapted({"preset": "lora", "dora": True}, tiny("bert")).trainable()
    assert any("lora_magnitude_vector" in name for name in names)


def test_lora_drops_out_only_in_training(tiny):
    net = adapted({"preset": "lora", "dropout": 0.5, "targets": "q"}, tiny("bert"))
    dropout = net.backbone.blocks[0].attention.self.query.lora_dropout["default"]
    assert net.train() and dropout.training
    net.eval()
    assert not dropout.training


@pytest.mark.parametrize(
    "options, message",
    [
        ({"rank": 0}, "rank: 0 is below 1"),
        ({"dropout": 1.0}, "dropout: 1.0 is not from 0 up to 1"),
        ({"rnak": 4}, r"strategies.lora: 'rnak' is not one of .*\(did you mean 'rank'\?\)"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ConfigError, match=message):
        parse_strategy({"preset": "lora", **options})


def test_targets_survive_json(tiny):
    strategy = parse_strategy({"preset": "lora", "targets": ["q", "v"]})
    again = parse_strategy(json.loads(json.dumps(strategy.settings())))
    backbone = adapted("probe", tiny("bert")).backbone
    assert linear_names(backbone, again.tune.targets) == linear_names(backbone, ("q", "v"))
