"""Soft prompts and P-tuning: learned vectors in front of the text, and nothing else changed."""

from dataclasses import replace

import pytest
import torch

from stratune.errors import ConfigError, UnsupportedError
from stratune.net.pooling import pooled
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.testing import DECODERS, MODEL_TYPES
from stratune.testing.nets import net_of
from tests.helpers import TEXTS, adapted, batch_of, learned, trained

BOTH = ("soft_prompt", "p_tuning")
NARROW = ("electra", "albert")  # their embeddings are half as wide as their blocks


def embedding_width(family):
    return 16 if family in NARROW else 32


def count(net):
    return sum(p.numel() for name, p in net.trainable().items() if not name.startswith("head."))


def start_of(options, folder, seed=0):
    return adapted({"preset": "soft_prompt", **options}, folder, seed=seed).model.prompt.vectors.detach()


def pad_left(batch):
    """The same rows, padding moved to the left."""

    def moved(rows):
        pairs = zip(rows, batch.mask.bool(), strict=True)
        return torch.stack([torch.cat([row[~kept], row[kept]]) for row, kept in pairs])

    types = moved(batch.types) if batch.types is not None else None
    return replace(batch, ids=moved(batch.ids), mask=moved(batch.mask), types=types)


# -- how many


@pytest.mark.parametrize("length", [1, 20])
@pytest.mark.parametrize("family", MODEL_TYPES)
def test_length_times_the_embeddings_width_learn(family, length, tiny):
    net = adapted({"preset": "soft_prompt", "length": length}, tiny(family))
    assert count(net) == length * embedding_width(family)
    assert net.frozen_blocks() == 0 and net.reserved_positions == length


@pytest.mark.parametrize("hidden", [None, 6])
@pytest.mark.parametrize("family", ["bert", "electra", "albert", "llama"])
def test_p_tuning_learns_vectors_and_the_network_after_them(family, hidden, tiny):
    e = embedding_width(family)
    h = hidden or e
    one_way = [4 * h * (e + h) + 8 * h, 4 * h * (2 * h + h) + 8 * h]  # four gates, two biases; two layers
    lstm = 2 * sum(one_way) + (2 * h * 2 * h + 2 * h) + (2 * h * e + e)
    mlp = (e * h + h) + (h * h + h) + (h * e + e)
    for encoder, numbers in {"lstm": lstm, "mlp": mlp}.items():
        net = adapted({"preset": "p_tuning", "length": 9, "encoder": encoder, "hidden": hidden}, tiny(family))
        assert count(net) == 9 * e + numbers, encoder
        assert net.frozen_blocks() == 0


# -- what they compute


@pytest.mark.parametrize("preset", BOTH)
@pytest.mark.parametrize("family", MODEL_TYPES)
def test_the_bare_model_on_prompt_and_embeddings_by_hand(family, preset, tiny):
    net = adapted({"preset": preset, "length": 5}, tiny(family))
    plain = adapted("probe", tiny(family)).backbone
    batch = batch_of(net)
    n, rows = 5, len(batch)
    with torch.no_grad():
        prompt = net.model.prompt().expand(rows, -1, -1)
        words = plain.model.get_input_embeddings()(batch.ids)
        inputs = {
            "inputs_embeds": torch.cat([prompt, words], dim=1),
            "attention_mask": torch.cat([torch.ones(rows, n, dtype=torch.int64), batch.mask], dim=1),
        }
        if batch.types is not None:
            inputs["token_type_ids"] = torch.cat(
                [torch.zeros(rows, n, dtype=torch.int64), batch.types], dim=1
            )
        if family in DECODERS:
            inputs["use_cache"] = False
        if family == "longformer":
            inputs["global_attention_mask"] = torch.zeros_like(inputs["attention_mask"])
            inputs["global_attention_mask"][:, 0] = 1
        wanted = plain.model(**inputs).last_hidden_state[:, n:]  # numbers the places by itself
        kept = batch.mask.bool()
        assert torch.allclose(net.encode(batch)[kept], wanted[kept], atol=1e-5)
        without = adapted("probe", tiny(family)).encode(batch)
        assert not torch.allclose(wanted[kept], without[kept], atol=1e-3)


@pytest.mark.parametrize("pool", ["first", "last", "mean"])
@pytest.mark.parametrize("family", MODEL_TYPES)
def test_the_side_of_padding_changes_nothing_and_virtual_tokens_are_never_pooled(family, pool, tiny):
    net = adapted({"preset": "soft_prompt", "length": 5, "readout": {"pool": pool}}, tiny(family))
    batch = batch_of(net)
    left = pad_left(batch)
    assert not torch.equal(left.mask, batch.mask)
    with torch.no_grad():
        logits = net(batch)
        assert torch.allclose(net(left), logits, atol=1e-5)
        hidden, mask = net.encode(batch), batch.mask
        assert hidden.shape[:2] == batch.ids.shape
        rows = range(len(batch))
        lengths = batch.mask.sum(dim=1).tolist()
        by_row = {
            "first": torch.stack([hidden[i, 0] for i in rows]),
            "last": torch.stack([hidden[i, lengths[i] - 1] for i in rows]),
            "mean": torch.stack([hidden[i, : lengths[i]].mean(dim=0) for i in rows]),
        }
        assert torch.allclose(pooled(hidden, mask, pool), by_row[pool], atol=1e-6)
        assert torch.allclose(net.head.classify(by_row[pool]), logits, atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_a_pair_of_texts_keeps_its_segments(family, tiny):
    net = adapted({"preset": "soft_prompt", "length": 3}, tiny(family))
    batch = batch_of(net, TEXTS[:2], TEXTS[2:])
    with torch.no_grad():
        assert torch.allclose(net(pad_left(batch)), net(batch), atol=1e-5)
        if batch.types is not None:
            assert batch.types.any()
            same = replace(batch, types=torch.zeros_like(batch.types))
            assert not torch.allclose(net(same), net(batch), atol=1e-4)


# -- where they start


@pytest.mark.parametrize("family", ["bert", "albert", "gpt2"])
def test_words_of_the_vocabulary_give_the_start(family, tiny):
    table = adapted("probe", tiny(family)).backbone
    special = set(table.tokenizer.all_special_ids)
    table = table.model.get_input_embeddings().weight
    for vector in start_of({"length": 8}, tiny(family)):
        (found,) = (table == vector).all(dim=1).nonzero(as_tuple=True)
        assert len(found) == 1 and int(found[0]) not in special
    assert torch.equal(start_of({}, tiny(family)), start_of({}, tiny(family)))
    assert not torch.equal(start_of({}, tiny(family)), start_of({}, tiny(family), seed=1))


@pytest.mark.parametrize("length", [2, 3, 8])
def test_a_text_is_repeated_or_cut(length, tiny):
    found = start_of({"length": length, "start": "text", "text": "cat dog rain"}, tiny("bert"))
    backbone = adapted("probe", tiny("bert")).backbone
    words = ["cat", "dog", "rain", "cat", "dog", "rain", "cat", "dog"][:length]
    ids = backbone.tokenizer.convert_tokens_to_ids(words)
    assert backbone.tokenizer.unk_token_id not in ids
    assert torch.equal(found, backbone.model.get_input_embeddings().weight[ids])


def test_random_numbers_are_as_large_as_the_embeddings(tiny):
    table = adapted("probe", tiny("bert")).backbone.model.get_input_embeddings().weight.detach()
    found = start_of({"length": 60, "start": "random"}, tiny("bert"))
    assert float(found.std()) == pytest.approx(float(table.std()), rel=0.1)


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_learning_moves_the_prompt_and_not_the_table_it_started_from(family, tiny):
    run = trained({"preset": "soft_prompt", "length": 4}, tiny(family), epochs=1)
    net = net_of(run.predictor.model)
    fresh = adapted("probe", tiny(family)).backbone.model.state_dict()
    for name, tensor in net.backbone.model.state_dict().items():
        assert torch.equal(tensor, fresh[name]), name
    start = start_of({"length": 4}, tiny(family))
    assert (learned(run)["model.prompt.vectors"] - start).abs().max() > 1e-3


# -- room


@pytest.mark.parametrize("preset", BOTH)
@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2"])
def test_a_long_text_is_cut_shorter_by_the_prompt(family, preset, tiny, tmp_path):
    plain = trained("probe", tiny(family), epochs=1).predictor
    predictor = trained({"preset": preset, "length": 11}, tiny(family), epochs=1).predictor
    long = " ".join(["the cat saw rain near the old house"] * 30)

    def cut(one):
        return [p.tokens_cut for p in one.predict([long, "snow"])]

    assert cut(plain)[0] > 0 and cut(predictor) == [cut(plain)[0] + 11, 0]
    again = Predictor.load(predictor.save(tmp_path / "model"))
    assert cut(again) == cut(predictor)
    rows = [long, *TEXTS]
    assert again.predict_proba(rows) == pytest.approx(predictor.predict_proba(rows), abs=1e-6)
    net = net_of(predictor.model)
    assert predictor.model.limit.tokens(net.backbone) == net.backbone.max_length - 11 == 117


def test_a_limit_below_that_is_kept(tiny):
    predictor = trained(
        {"preset": "soft_prompt", "length": 11}, tiny("bert"), epochs=1, max_length=20
    ).predictor
    assert predictor.model.limit.tokens(net_of(predictor.model).backbone) == 20


@pytest.mark.parametrize("preset", BOTH)
def test_a_prompt_that_leaves_too_little_is_refused(preset, tiny):
    assert adapted({"preset": preset, "length": 64}, tiny("bert")).reserved_positions == 64
    with pytest.raises(UnsupportedError, match="65 virtual tokens leave little of its 128 positions"):
        adapted({"preset": preset, "length": 65}, tiny("bert"))


# -- mistakes


@pytest.mark.parametrize(
    "spec, message",
    [
        ({"preset": "soft_prompt", "start": "text"}, "text: start: text needs a `text`"),
        ({"preset": "soft_prompt", "text": "cat"}, "text: start: text needs a `text`, and only it takes one"),
        ({"preset": "soft_prompt", "length": 0}, "length: 0 is below 1"),
        ({"preset": "p_tuning", "length": 0}, "length: 0 is below 1"),
        ({"preset": "p_tuning", "hidden": 0}, "hidden: 0 is below 1"),
        ({"preset": "p_tuning", "encoder": "gru"}, "encoder is 'gru', but it should be 'lstm' or 'mlp'"),
        ({"preset": "soft_prompt", "lenght": 4}, r"'lenght' is not one of .*\(did you mean 'length'\?\)"),
    ],
)
def test_wrong_options(spec, message):
    with pytest.raises(ConfigError, match=message):
        parse_strategy(spec)


def test_a_text_without_tokens_starts_nothing(tiny):
    with pytest.raises(ConfigError, match="text: '' has no token"):
        adapted({"preset": "soft_prompt", "start": "text", "text": ""}, tiny("bert"))
