"""Prefixes, with peft, real words and an attention written out as oracles."""

import math

import pytest
import torch
from peft import PrefixTuningConfig, get_peft_model
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, AutoModel
from transformers.masking_utils import eager_mask

from stratune.backbone.attention import prefixed_attention, use_prefixes
from stratune.backbone.virtual import random_words
from stratune.errors import ConfigError, UnsupportedError
from stratune.model.net_files import peft_unwarned
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.strategy.prefix import attention_of, keys_and_values
from stratune.testing import DECODERS, MODEL_TYPES
from tests.helpers import TEXTS, adapted, batch_of, trained

OWN_ATTENTION = ("deberta-v2", "longformer", "big_bird")  # refused: see test_some_compute_their_attention
FAMILIES = [family for family in MODEL_TYPES if family not in OWN_ATTENTION]
WIDTH, HEAD = 32, 8
# peft 0.21's prefixes do not run on distilbert, modernbert and albert, whose masks do not grow.
PEFT_FAMILIES = ("bert", "roberta", "electra", *DECODERS)


def prefix(**options):
    return {"preset": "prefix", **options}


def groups_of(family):
    return 2 if family in ("llama", "mistral", "qwen2", "qwen3") else 4


def blocks_of(family):
    return 1 if family == "albert" else 3


def prefixes(net):
    """Of each block, bottom first."""
    return [attention_of(block, net.backbone).prefix for block in net.backbone.blocks]


def in_backbone(net):
    return {name: p for name, p in net.trainable().items() if not name.startswith("head.")}


def loud(net):
    """Prefixes so large that nothing could miss them."""
    generator = torch.Generator().manual_seed(5)
    for found in prefixes(net):
        for parameter in found.parameters():
            parameter.data.normal_(generator=generator)
    return net


# -- how many


@pytest.mark.parametrize("length", [1, 20])
@pytest.mark.parametrize("family", FAMILIES)
def test_as_many_numbers_learn_as_keys_and_values_have(family, length, tiny):
    net = adapted(prefix(length=length), tiny(family))
    wanted = blocks_of(family) * 2 * length * groups_of(family) * HEAD
    assert sum(p.numel() for p in in_backbone(net).values()) == wanted


@pytest.mark.parametrize("hidden", [None, 5])
@pytest.mark.parametrize("last", [None, 2])
@pytest.mark.parametrize("family", ["bert", "albert", "llama", "gpt2"])
def test_or_as_the_mlp_that_makes_them(family, last, hidden, tiny):
    if family == "albert" and last:
        last = None
    net = adapted(prefix(length=7, reparametrise=True, hidden=hidden, last=last), tiny(family))
    blocks, inner, made = last or blocks_of(family), hidden or WIDTH, 2 * groups_of(family) * HEAD
    table, first = 7 * WIDTH, WIDTH * inner + inner
    assert sum(p.numel() for p in in_backbone(net).values()) == table + first + blocks * (inner * made + made)


@pytest.mark.parametrize("reparametrise", [False, True])
@pytest.mark.parametrize("family", ["bert", "gpt2", "modernbert"])
def test_the_last_blocks_alone(family, reparametrise, tiny):
    net = adapted(prefix(last=1, reparametrise=reparametrise), tiny(family))
    assert net.frozen_blocks() == 2
    top = {id(p) for p in net.backbone.blocks[-1].parameters()}
    assert in_backbone(net) and all(id(p) in top for p in in_backbone(net).values())
    assert adapted(prefix(reparametrise=reparametrise), tiny(family)).frozen_blocks() == 0


def test_what_the_mlp_makes_is_its_second_layer_on_tanh_of_the_first(tiny):
    net = adapted(prefix(length=3, reparametrise=True), tiny("bert"))
    encoder = prefixes(net)[1].encoder
    with torch.no_grad():
        inner = torch.tanh(encoder.table.weight @ encoder.inner.weight.T + encoder.inner.bias)
        keys, values = prefixes(net)[1]()
        for place in range(3):
            for head in range(4):
                rows = slice(head * HEAD, (head + 1) * HEAD)
                made = encoder.outer[1].weight @ inner[place] + encoder.outer[1].bias  # keys, then values
                assert torch.allclose(keys[head, place], made[:32][rows], atol=1e-6)
                assert torch.allclose(values[head, place], made[32:][rows], atol=1e-6)


# -- what they compute


def by_hand(query, key, value, seen, learned, scale):
    """Softmax over [prefix; own], row by row. `seen` (B, H, T, T) is True where a query sees a key."""
    heads, groups = query.shape[1], key.shape[1]
    out = torch.zeros_like(query)
    for b in range(query.shape[0]):
        for h in range(heads):
            g = h * groups // heads
            keys = torch.cat([learned[0][g], key[b, g]]) if learned else key[b, g]
            values = torch.cat([learned[1][g], value[b, g]]) if learned else value[b, g]
            scores = scale * query[b, h] @ keys.T
            n = len(keys) - key.shape[2]
            scores[:, n:] = scores[:, n:].masked_fill(~seen[b, h], -math.inf)
            out[b, h] = scores.softmax(-1) @ values
    return out.transpose(1, 2)  # (B, T, H, D)


@pytest.mark.parametrize("kind", ["none", "bool", "float"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("groups", [4, 2])
@pytest.mark.parametrize("length", [6, 1])
def test_attention_over_prefix_and_own_keys(length, groups, causal, kind):
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    module = nn.Module()
    module.is_causal, module.num_key_value_groups = causal, 4 // groups
    module.prefix = nn.Module()
    module.prefix.length = 3
    learned = draw(groups, 3, HEAD), draw(groups, 3, HEAD)
    module.prefix.forward = lambda: learned
    query, key, value = draw(2, 4, length, HEAD), draw(2, groups, length, HEAD), draw(2, groups, length, HEAD)
    seen = torch.ones(2, 1, length, length, dtype=torch.bool)
    if causal:
        seen = seen.tril()
    if kind != "none":
        seen[1, :, :, 4:] = False  # padding
    mask = {
        "none": None,
        "bool": seen,
        "float": torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min),
    }[kind]
    found, _ = prefixed_attention(module, query, key, value, mask, scaling=0.4, dropout=0.0)
    wanted = by_hand(query, key, value, seen.expand(2, 4, length, length), learned, 0.4)
    assert torch.allclose(found, wanted, atol=1e-5)


_slots: list = []  # keys and values that the next attention calls of `_written_out` take, in order


def _written_out(module, query, key, value, attention_mask, scaling=None, **_):
    seen = attention_mask == 0 if attention_mask is not None else None
    shape = (query.shape[0], query.shape[1], query.shape[2], key.shape[2])
    seen = torch.ones(shape, dtype=torch.bool) if seen is None else seen.expand(shape)
    return by_hand(query, key, value, seen, _slots.pop(0), scaling or HEAD**-0.5), None


AttentionInterface.register("written_out", _written_out)
AttentionMaskInterface.register("written_out", eager_mask)


@pytest.mark.parametrize("reparametrise", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_attends_to_its_prefixes(family, reparametrise, tiny):
    """The plain model, with transformers calling an attention of ours in which block i takes prefix i."""
    net = loud(adapted(prefix(length=4, reparametrise=reparametrise), tiny(family)))
    plain = adapted("probe", tiny(family))
    plain.backbone.model.set_attn_implementation("written_out")
    batch = batch_of(net)
    with torch.no_grad():
        _slots[:] = [found() for found in prefixes(net)] * (3 // blocks_of(family))
        wanted = plain.encode(batch)
        assert not _slots
        kept = batch.mask.bool()
        assert torch.allclose(net.encode(batch)[kept], wanted[kept], atol=1e-4)
        without = adapted("probe", tiny(family)).encode(batch)
        assert not torch.allclose(wanted[kept], without[kept], atol=1e-2)


@pytest.mark.parametrize("family", DECODERS)
def test_a_decoder_sees_a_prefix_made_of_words_as_it_sees_the_words(family, tiny):
    """Keys and values of real words, the text numbered on after them: the plain model of words and text."""
    plain, net = adapted("probe", tiny(family)), adapted(prefix(length=5), tiny(family))
    modules = [attention_of(block, net.backbone) for block in net.backbone.blocks]
    for module in modules:
        del module.prefix
    torch.manual_seed(9)
    words = random_words(net.backbone, 5)
    torch.manual_seed(9)
    for module, (keys, values) in zip(modules, keys_and_values(net, modules, 5), strict=True):
        module.prefix = nn.Module()
        module.prefix.length, module.prefix.forward = 5, lambda made=(keys, values): made
    batch = batch_of(net)
    ids = torch.cat([words.expand(len(batch), -1), batch.ids], dim=1)
    mask = torch.cat([torch.ones(len(batch), 5, dtype=torch.int64), batch.mask], dim=1)
    places = torch.arange(ids.shape[1]).expand(len(batch), -1)
    with torch.no_grad():
        wanted = plain.model(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=False)
        found = net.model(
            input_ids=batch.ids, attention_mask=batch.mask, position_ids=places[:, 5:], use_cache=False
        )
    kept = batch.mask.bool()
    assert torch.allclose(found.last_hidden_state[kept], wanted.last_hidden_state[:, 5:][kept], atol=1e-5)


def peft_run(family, folder, batch, count):
    """peft's own prefix tuning: last hidden states of the text, and keys and values (G, n, D) of each block."""
    config = PrefixTuningConfig(task_type="FEATURE_EXTRACTION", num_virtual_tokens=count)
    torch.manual_seed(3)
    with peft_unwarned():
        model = get_peft_model(AutoModel.from_pretrained(folder), config).eval()
    numbers = model.prompt_encoder["default"].embedding.weight.detach()
    made = numbers.view(count, 3, 2, groups_of(family), HEAD).permute(1, 2, 3, 0, 4)
    with torch.no_grad():
        hidden = model(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    return hidden, made


@pytest.mark.parametrize("family", PEFT_FAMILIES)
def test_peft_computes_the_same_with_the_same_numbers(family, tiny):
    net = adapted(prefix(length=5), tiny(family))
    batch = batch_of(net)
    wanted, made = peft_run(family, tiny(family), batch, 5)
    with torch.no_grad():
        for found, (keys, values) in zip(prefixes(net), made, strict=True):
            found.keys.copy_(keys)
            found.values.copy_(values)
        # peft numbers the text's places on after the prefix, as if that were a past
        first = 5 + net.backbone.family.reserved_positions
        places = first + torch.arange(batch.ids.shape[1]).expand(len(batch), -1)
        options = {"use_cache": False} if family in DECODERS else {}
        hidden = net.model(
            input_ids=batch.ids, attention_mask=batch.mask, position_ids=places, **options
        ).last_hidden_state
    kept = batch.mask.bool()
    assert not kept.all()
    assert torch.allclose(hidden[kept], wanted[kept], atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_prefix_nothing_changes(family, tiny):
    plain, net = adapted("probe", tiny(family)), adapted("probe", tiny(family))
    use_prefixes(net.backbone)
    batch = batch_of(net)
    with torch.no_grad():
        assert torch.allclose(net(batch), plain(batch), atol=1e-6)
        assert torch.allclose(
            net.encode(batch)[batch.mask.bool()], plain.encode(batch)[batch.mask.bool()], atol=1e-6
        )


# -- where they start


@pytest.mark.parametrize("family", FAMILIES)
def test_words_give_the_start(family, tiny):
    def start(seed):
        net = adapted(prefix(length=6), tiny(family), seed=seed)
        assert len(in_backbone(net)) == 2 * blocks_of(family)
        return torch.stack([torch.stack(found()) for found in prefixes(net)]).detach()

    assert torch.isfinite(start(0)).all()
    assert torch.equal(start(0), start(0)) and not torch.equal(start(0), start(1))


def test_they_are_the_keys_and_values_that_the_model_makes_of_words(tiny):
    net = adapted("probe", tiny("bert"))
    attention = net.backbone.blocks[0].attention.self
    torch.manual_seed(2)
    words = random_words(net.backbone, 6)
    torch.manual_seed(2)
    ((keys, values),) = keys_and_values(net, [attention], 6)
    assert not set(words.tolist()) & set(net.backbone.tokenizer.all_special_ids)
    with torch.no_grad():
        x = net.backbone.model.embeddings(words[None])[0]
        assert torch.allclose(keys.transpose(0, 1).reshape(6, WIDTH), attention.key(x), atol=1e-5)
        assert torch.allclose(values.transpose(0, 1).reshape(6, WIDTH), attention.value(x), atol=1e-5)


def test_or_small_random_numbers(tiny):
    net = adapted(prefix(length=100, start="random"), tiny("bert"))
    numbers = torch.cat([p.detach().flatten() for p in in_backbone(net).values()])
    assert 0.019 < float(numbers.std()) < 0.021 and abs(float(numbers.mean())) < 1e-3


# -- as part of the whole


@pytest.mark.parametrize(
    "family, options",
    [
        ("bert", {"reparametrise": True}),
        ("albert", {}),
        ("gpt2", {"last": 1}),
        ("modernbert", {"start": "random"}),
    ],
    ids=["mlp", "shared-blocks", "last", "random"],
)
def test_a_trained_prefix_comes_back(family, options, tiny, tmp_path):
    run = trained(prefix(length=4, **options), tiny(family), epochs=1)
    again = Predictor.load(run.predictor.save(tmp_path / "model"))
    assert again.predict_proba(TEXTS) == pytest.approx(run.predictor.predict_proba(TEXTS), abs=1e-6)


def test_a_prefix_takes_none_of_the_texts_places(tiny):
    assert adapted(prefix(length=100), tiny("bert")).reserved_positions == 0


@pytest.mark.parametrize("family", OWN_ATTENTION)
def test_some_compute_their_attention(family, tiny):
    with pytest.raises(UnsupportedError, match="use lora, houlsby or soft_prompt"):
        adapted("prefix", tiny(family))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"length": 0}, "length: 0 is below 1"),
        ({"last": 0}, "last: 0 is below 1"),
        ({"hidden": 0, "reparametrise": True}, "hidden: 0 is below 1"),
        ({"hidden": 8}, "hidden: is the width of what `reparametrise: true` puts in"),
        ({"start": "wrods"}, "start is 'wrods', but it should be 'words' or 'random'"),
        ({"lenght": 4}, r"'lenght' is not one of .*\(did you mean 'length'\?\)"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ConfigError, match=message):
        parse_strategy(prefix(**options))
