"""(IA)3, and any other method of peft's: peft itself is the oracle."""

import json

import pytest
import torch
from peft import PeftModel
from transformers import AutoModel

from stratune.errors import ConfigError, UnsupportedError
from stratune.model.net_files import peft_unwarned
from stratune.net.pooling import pooled
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.testing import MODEL_TYPES
from stratune.testing.nets import net_of
from tests.helpers import TEXTS, adapted, batch_of, inputs_of, trained

FAMILIES_OF_ALL_SHAPES = ("bert", "distilbert", "deberta-v2", "modernbert", "albert", "llama", "gpt2")

# Outputs of keys and values (or of the fused matrix), and the width inside the feed-forward.
KEYS_AND_VALUES = {
    "modernbert": 3 * 32,
    "gpt2": 3 * 32,
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3"), 2 * 16),
}


def in_backbone(net):
    return {name: p for name, p in net.trainable().items() if not name.startswith("head.")}


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_ia3_learns_a_number_for_each_key_value_and_inner_place(family, tiny):
    net = adapted("ia3", tiny(family))
    plain = AutoModel.from_pretrained(tiny(family))
    down = plain.get_submodule(f"{net.backbone.family.blocks[0]}.0.{net.backbone.family.linears['down']}")
    inside = down.weight.shape[0 if family == "gpt2" else 1]
    each = KEYS_AND_VALUES.get(family, 2 * 32) + inside
    assert sum(p.numel() for p in in_backbone(net).values()) == (1 if family == "albert" else 3) * each


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_ia3_starts_as_the_pretrained_model(family, tiny):
    plain, net = adapted("probe", tiny(family)), adapted("ia3", tiny(family))
    with torch.no_grad():
        assert torch.allclose(net(batch_of(net)), plain(batch_of(plain)), atol=1e-6)


def test_ia3_by_hand(tiny):
    """Keys and values are scaled where they come out, the feed-forward where it goes in."""
    net, plain = adapted("ia3", tiny("bert")), adapted("probe", tiny("bert"))
    block, before = net.backbone.blocks[0], plain.backbone.blocks[0]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in in_backbone(net).values():
            p.normal_(generator=generator)
        x, inner = torch.randn(2, 5, 32, generator=generator), torch.randn(2, 5, 64, generator=generator)
        key, down = block.attention.self.key, block.output.dense
        scale_of_key, scale_inside = key.ia3_l["default"].flatten(), down.ia3_l["default"].flatten()
        assert scale_of_key.shape == (32,) and scale_inside.shape == (64,)
        assert torch.allclose(key(x), before.attention.self.key(x) * scale_of_key, atol=1e-5)
        assert torch.allclose(down(inner), before.output.dense(inner * scale_inside), atol=1e-5)
        assert torch.equal(block.attention.self.query(x), before.attention.self.query(x))


def test_ia3_on_the_last_block(tiny):
    net = adapted({"preset": "ia3", "last": 1}, tiny("gpt2"))
    assert net.frozen_blocks() == 2
    assert in_backbone(net) and all(".h.2." in name for name in in_backbone(net))


@pytest.mark.parametrize("family", FAMILIES_OF_ALL_SHAPES)
def test_peft_reads_the_ia3_we_saved_and_computes_the_same(family, tiny, tmp_path):
    run = trained("ia3", tiny(family))
    net = net_of(run.predictor.model)
    assert any((p - 1).abs().max() > 1e-3 for p in in_backbone(net).values())
    folder = run.predictor.save(tmp_path / "model")
    with peft_unwarned():
        theirs = PeftModel.from_pretrained(AutoModel.from_pretrained(tiny(family)), folder).eval()
    batch = batch_of(net)
    net.eval()
    with torch.no_grad():
        hidden = theirs(**inputs_of(batch)).last_hidden_state
        kept = batch.mask.bool()
        assert torch.allclose(net.encode(batch)[kept], hidden[kept], atol=1e-5)
        wanted = net.head.classify(pooled(hidden, batch.mask, net.head.pool))
        assert torch.allclose(net(batch), wanted, atol=1e-5)


def test_a_folder_of_ia3_is_written_alike_each_time(tiny, tmp_path):
    run = trained("ia3", tiny("bert"), epochs=1)
    texts = [(run.predictor.save(tmp_path / name) / "adapter_config.json").read_text() for name in ("a", "b")]
    assert texts[0] == texts[1]
    written = json.loads(texts[0])
    for key in ("target_modules", "feedforward_modules"):
        assert written[key] == sorted(written[key]) and len(written[key]) >= 3


# -- peft:<method>


def test_options_of_pefts_are_kept_through_json():
    strategy = parse_strategy(
        {"preset": "peft:vera", "r": 4, "learning_rate": 5e-3, "last": 2, "name": "mine"}
    )
    assert (strategy.name, strategy.tune.method, strategy.tune.last) == ("mine", "vera", 2)
    assert strategy.tune.options == {"r": 4} and strategy.recipe.learning_rate == 5e-3
    again = parse_strategy(json.loads(json.dumps(strategy.settings())))
    assert again == strategy


def test_the_name_is_the_method():
    assert parse_strategy("peft:vera").name == "peft:vera"
    written = parse_strategy({"preset": "peft:oft", "options": {"r": 4}})
    assert written.tune == parse_strategy({"preset": "peft:oft", "r": 4}).tune


def test_pefts_option_arrives(tiny):
    assert adapted({"preset": "peft:vera", "r": 5}, tiny("bert")).model.peft_config["default"].r == 5


@pytest.mark.parametrize(
    "spec, message",
    [
        (
            {"preset": "peft:vera", "vera_droput": 0.1},
            r"'vera_droput' is not one of .*did you mean 'vera_dropout'",
        ),
        ({"preset": "peft:vera", "target_modules": ["x"]}, "'target_modules' is not one of"),
        ("peft:verra", r"'verra' is not one of .*\(did you mean 'vera'\?\)"),
        ("peft:prefix_tuning", "prefix_tuning is the strategy `prefix` here"),
        ("peft:prompt_tuning", "prompt_tuning is the strategy `soft_prompt` here"),
        ("peft:ia3", "ia3 is the strategy `ia3` here"),
        ("peft:adalora", "'adalora' is not one of"),
        ("peft:p_tuning", "p_tuning is the strategy `p_tuning` here"),
        ("peft:xlora", "'xlora' is not one of"),
        ({"preset": "peft:vera", "last": 0}, "last: 0 is below 1"),
        ({"preset": "ia3", "last": 0}, "last: 0 is below 1"),
        ({"preset": "ia3", "rank": 1}, "'rank' is not one of"),
    ],
)
def test_mistakes_are_named(spec, message):
    with pytest.raises(ConfigError, match=message):
        parse_strategy(spec)


METHODS = [
    ("vera", {}), ("oft", {}), ("loha", {"r": 2}), ("lokr", {"r": 2}), ("hra", {}), ("hira", {}),
    ("fourierft", {"n_frequency": 50}), ("randlora", {}), ("road", {"group_size": 32}), ("miss", {"r": 4}),
]  # fmt: skip


@pytest.mark.parametrize("method, options", METHODS, ids=[name for name, _ in METHODS])
def test_a_method_trains_and_comes_back(method, options, tiny, tmp_path):
    spec = {"preset": f"peft:{method}", "learning_rate": 1e-2, **options}
    start = {n: p.detach().clone() for n, p in in_backbone(adapted(spec, tiny("bert"))).items()}
    run = trained(spec, tiny("bert"), epochs=1)
    after = in_backbone(net_of(run.predictor.model))
    assert set(after) == set(start) and any(not torch.equal(after[n], start[n]) for n in start)
    again = Predictor.load(run.predictor.save(tmp_path / "model"))
    assert again.predict_proba(TEXTS) == pytest.approx(run.predictor.predict_proba(TEXTS), abs=1e-5)


@pytest.mark.parametrize(
    "method, family, reason",
    [
        ("miss", "bert", "must be less than or equal to in_features"),
        ("hra", "gpt2", "Conv1D.* is not supported"),
    ],
)
def test_what_peft_finds_wrong_is_said_in_its_words(method, family, reason, tiny):
    with pytest.raises(UnsupportedError, match=f"peft:{method} cannot run on .*{reason}"):
        adapted(f"peft:{method}", tiny(family))
