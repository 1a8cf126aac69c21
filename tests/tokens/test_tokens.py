"""Texts become token ids: what is cut is counted, and what is cached is the same."""

import errno
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stratune.backbone.load import load_backbone
from stratune.testing import DECODERS, MODEL_TYPES
from stratune.testing.models import MAX_LENGTH
from stratune.testing.toy import WORDS
from stratune.tokens import tokens as tokens_module
from stratune.tokens.tokens import FIELDS, TextLimit, tokenise
from tests.helpers import TEXTS


@pytest.fixture(scope="module")
def backbone(tiny):
    """One per family, loaded once: nothing here changes it."""
    loaded = {}
    return lambda family: loaded.setdefault(family, load_backbone(str(tiny(family))))


def row(tokens, i):
    return tokens.ids[tokens.offsets[i] : tokens.offsets[i + 1]].tolist()


def types(tokens, i):
    return tokens.types[tokens.offsets[i] : tokens.offsets[i + 1]].tolist()


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_ids_are_those_of_the_tokenizer(family, backbone):
    found = tokenise(backbone(family), TEXTS, None, TextLimit())
    assert [row(found, i) for i in range(len(TEXTS))] == backbone(family).tokenizer(TEXTS)["input_ids"]
    assert found.cut.tolist() == [0] * len(TEXTS)


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_segments_go_only_to_models_that_have_embeddings_for_them(family, backbone):
    found = tokenise(backbone(family), ["the cat"], ["a dog"], TextLimit())
    if family in ("bert", "electra", "albert", "big_bird"):
        assert types(found, 0) == [0, 0, 0, 0, 1, 1, 1]
    else:
        assert len(found.types) == 0


@pytest.mark.parametrize("family", DECODERS)
def test_decoders_separate_a_pair_by_a_line_feed(family, backbone):
    found = tokenise(backbone(family), ["the cat"], ["a dog"], TextLimit())
    text = backbone(family).tokenizer.decode(row(found, 0), skip_special_tokens=True)
    assert text == "the cat\na dog"


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_a_long_text_is_cut_to_the_limit_and_what_is_cut_is_counted(family, backbone):
    text = " ".join(WORDS * 5)
    whole = len(backbone(family).tokenizer(text, verbose=False)["input_ids"])
    for limit, most in ((TextLimit(), MAX_LENGTH), (TextLimit(max_length=20), 20)):
        found = tokenise(backbone(family), [text, "cat"], None, limit)
        assert found.lengths[0] == most
        assert found.cut.tolist() == [whole - most, 0]


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
def test_cutting_keeps_the_special_tokens(family, backbone):
    tokenizer = backbone(family).tokenizer
    ids = row(tokenise(backbone(family), [" ".join(WORDS * 5)], None, TextLimit(max_length=20)), 0)
    assert ids[0] == tokenizer.cls_token_id and ids[-1] == tokenizer.sep_token_id


def test_of_a_pair_the_longer_text_is_cut(backbone):
    found = tokenise(backbone("bert"), ["the cat"], [" ".join(WORDS)], TextLimit(max_length=20))
    ids = row(found, 0)
    assert len(ids) == 20 and backbone("bert").tokenizer.decode(ids).startswith("[CLS] the cat [SEP] cat dog")


def test_words_are_cut_before_tokens_and_counted_in_tokens(backbone):
    found = tokenise(backbone("bert"), ["the cat saw rain", "the cat"], None, TextLimit(max_words=2))
    assert backbone("bert").tokenizer.decode(row(found, 0)) == "[CLS] the cat [SEP]"
    assert row(found, 0) == row(found, 1)
    assert found.cut.tolist() == [2, 0]


def test_words_are_cut_in_both_texts_of_a_pair(backbone):
    found = tokenise(backbone("bert"), ["the cat saw"], ["a dog heard rain"], TextLimit(max_words=2))
    assert backbone("bert").tokenizer.decode(row(found, 0)) == "[CLS] the cat [SEP] a dog [SEP]"
    assert found.cut.tolist() == [3]


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_an_empty_text_has_at_least_one_token(family, backbone):
    found = tokenise(backbone(family), ["", "cat"], None, TextLimit())
    assert found.lengths[0] >= 1
    if family == "gpt2":  # opens a text with nothing
        assert row(found, 0) == [backbone(family).tokenizer.pad_token_id]


def test_no_texts_are_no_rows(backbone):
    found = tokenise(backbone("bert"), [], None, TextLimit())
    assert len(found) == 0 and found.lengths.tolist() == []


@pytest.mark.parametrize("family", ["bert", "gpt2"])
@pytest.mark.parametrize("pairs", [None, list(reversed(TEXTS))])
def test_cached_tokens_equal_uncached_ones(family, pairs, backbone, monkeypatch):
    plain = tokenise(backbone(family), TEXTS, pairs, TextLimit(max_length=10))
    for _ in range(2):  # written, then read
        kept = tokenise(backbone(family), TEXTS, pairs, TextLimit(max_length=10), keep=True)
        for name in FIELDS:
            found, wanted = getattr(kept, name), getattr(plain, name)
            assert found.dtype == wanted.dtype and np.array_equal(found, wanted), name
        monkeypatch.setattr(tokens_module, "_chunk", None)  # from here on there is no tokenising


def test_the_cache_tells_apart_whatever_changes_the_tokens(backbone, own_cache):
    cases = [
        ("bert", TEXTS, None, TextLimit()),
        ("bert", TEXTS[1:], None, TextLimit()),
        ("bert", TEXTS, TEXTS, TextLimit()),
        ("bert", TEXTS + TEXTS, None, TextLimit()),
        ("bert", TEXTS, None, TextLimit(max_length=10)),
        ("bert", TEXTS, None, TextLimit(max_words=3)),
        ("gpt2", TEXTS, None, TextLimit()),
    ]
    for family, texts, pairs, limit in cases:
        kept = tokenise(backbone(family), texts, pairs, limit, keep=True)
        assert kept.digest() == tokenise(backbone(family), texts, pairs, limit).digest()
    assert len(list((own_cache / "tokens").iterdir())) == len(cases)


def test_one_tokenizer_in_two_models_is_cached_for_each(tiny, own_cache, tmp_path):
    """A DistilBERT comes with BERT's tokenizer, and has no embeddings for its segments."""
    import shutil

    folder = shutil.copytree(tiny("distilbert"), tmp_path / "distilbert")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny("bert") / name, folder / name)
    bert, distilbert = load_backbone(str(tiny("bert"))), load_backbone(str(folder))
    assert bert.tokenizer_hash == distilbert.tokenizer_hash
    assert len(tokenise(bert, TEXTS, TEXTS, TextLimit(), keep=True).types)
    assert not len(tokenise(distilbert, TEXTS, TEXTS, TextLimit(), keep=True).types)


def test_a_tokenizer_is_the_same_after_use(tiny):
    used, fresh = load_backbone(str(tiny("bert"))), load_backbone(str(tiny("bert")))
    tokenise(used, [" ".join(WORDS * 5)], None, TextLimit())  # leaves a truncation length behind
    assert used.tokenizer_hash == fresh.tokenizer_hash


def test_a_full_disk_only_means_no_cache(backbone, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    kept = tokenise(backbone("bert"), TEXTS, None, TextLimit(), keep=True)
    assert np.array_equal(kept.ids, tokenise(backbone("bert"), TEXTS, None, TextLimit()).ids)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(max_size=60), min_size=1, max_size=6),
    st.integers(4, 40),
    st.sampled_from(["bert", "llama", "gpt2"]),
)
def test_any_text_fits_its_limit_and_loses_no_token_uncounted(backbone, texts, most, family):
    found = tokenise(backbone(family), texts, None, TextLimit(max_length=most))
    whole = [max(1, len(ids)) for ids in backbone(family).tokenizer(texts)["input_ids"]]
    assert (found.lengths <= most).all() and (found.lengths >= 1).all()
    assert (found.lengths + found.cut).tolist() == whole
