"""Frozen activations: the same numbers with the cache and without it; what becomes of entries on disk."""

import errno
import os

import numpy as np
import pytest
import torch

from stratune.net.net import Net
from stratune.testing import MODEL_TYPES
from stratune.train import activations
from stratune.train.activations import cache_limit_bytes, feed
from stratune.train.infer import infer
from stratune.train.runtime import Runtime
from tests.helpers import TEXTS, Callbacks, adapted, learned, logits_of, tokens_of, trained

CPU = torch.device("cpu")
HOW = Runtime(CPU)
PARTIAL = {"preset": "partial", "k": 1}


def entries(cache):
    """Names of the whole entries on disk."""
    store = cache / "activations"
    return sorted(f.name for f in store.iterdir() if not f.name.startswith(".")) if store.is_dir() else []


@pytest.fixture
def computed(monkeypatch):
    """How many forward passes went through the frozen bottom alone."""
    calls = []
    plain = Net.bottom
    monkeypatch.setattr(Net, "bottom", lambda *args: calls.append(1) or plain(*args))
    return calls


CELLS = [("probe", family) for family in MODEL_TYPES]
# One set of weights as every block; and states between blocks that are not of the text's length.
WITHOUT = ("albert", "longformer")
CELLS += [("partial", family) for family in MODEL_TYPES if family not in WITHOUT]


@pytest.mark.parametrize("preset, family", CELLS)
def test_training_with_the_cache_equals_training_without(preset, family, tiny, own_cache):
    with_cache = trained(preset, tiny(family))
    assert len(entries(own_cache)) == 2  # of train and val
    without = trained(preset, tiny(family), cache=False)
    np.testing.assert_allclose(logits_of(with_cache), logits_of(without), atol=1e-4)
    for name, tensor in learned(without).items():
        assert torch.allclose(learned(with_cache)[name], tensor, atol=1e-4), name


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_in_bfloat16_the_cache_changes_no_more_than_rounding(family, tiny):
    """Hidden states are kept in bfloat16, which has 8 bits: about 0.004 of a number of size one."""
    probabilities = []
    for cache in (True, False):
        run = trained(PARTIAL, tiny(family), precision="bfloat16", epochs=1, cache=cache)
        probabilities.append(run.predictor.predict_proba(TEXTS))
    np.testing.assert_allclose(*probabilities, atol=0.02)


def test_entries_serve_other_seeds_epochs_and_strategies(tiny, own_cache, computed):
    trained(PARTIAL, tiny("bert"), seed=0)
    assert computed
    kept = entries(own_cache)
    computed.clear()
    trained(PARTIAL, tiny("bert"), seed=1, epochs=3)
    trained({**PARTIAL, "name": "mine", "learning_rate": 1e-2}, tiny("bert"))
    assert not computed and entries(own_cache) == kept
    trained({"preset": "partial", "k": 2}, tiny("bert"))
    assert computed and len(entries(own_cache)) == 4  # another depth


def test_an_entry_is_of_these_weights_and_these_texts(tiny, own_cache):
    net = adapted(PARTIAL, tiny("bert"))
    feed(net, tokens_of(net), HOW)
    feed(net, tokens_of(net, TEXTS[1:]), HOW)
    assert len(entries(own_cache)) == 2
    other = adapted(PARTIAL, tiny("bert", layer_norm_eps=0.1))
    other.backbone.weight_hash = "of other weights"
    feed(other, tokens_of(other), HOW)
    assert len(entries(own_cache)) == 3


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_rows_that_do_not_fit_run_live_with_the_same_result(share, tiny, own_cache, monkeypatch, computed):
    unlimited = trained(PARTIAL, tiny("bert"))
    net = adapted(PARTIAL, tiny("bert"))
    monkeypatch.setenv("STRATUNE_CACHE_GB", str(share * 48 * 12 * net.backbone.width * 4 / 1e9))
    monkeypatch.setenv("STRATUNE_CACHE", str(own_cache / "limited"))
    computed.clear()
    limited = trained(PARTIAL, tiny("bert"))
    assert len(computed) > 10, "nothing ran live"
    np.testing.assert_allclose(logits_of(limited), logits_of(unlimited), atol=1e-4)


def test_the_limit_counts_rows_from_the_first(tiny, monkeypatch):
    net = adapted(PARTIAL, tiny("bert"))
    tokens = tokens_of(net)
    row_bytes = tokens.lengths * net.backbone.width * 4
    monkeypatch.setenv("STRATUNE_CACHE_GB", str((row_bytes[:2].sum() + 1) / 1e9))
    found = feed(net, tokens, HOW)
    assert found.frozen.rows == 2
    np.testing.assert_allclose(
        infer(net, found, HOW), infer(net, feed(net, tokens, HOW, cache=False), HOW), atol=1e-5
    )


def test_an_entry_that_lacks_rows_is_made_again_when_there_is_room_for_all(tiny, own_cache, monkeypatch):
    net = adapted(PARTIAL, tiny("bert"))
    tokens = tokens_of(net)
    row_bytes = int(tokens.lengths[0]) * net.backbone.width * 4
    monkeypatch.setenv("STRATUNE_CACHE_GB", str((row_bytes + 1) / 1e9))
    assert feed(net, tokens, HOW).frozen.rows == 1
    assert feed(net, tokens, HOW).frozen.found
    monkeypatch.delenv("STRATUNE_CACHE_GB")
    again = feed(net, tokens, HOW).frozen
    assert not again.found and again.rows == len(tokens)
    assert len(entries(own_cache)) == 1


def test_the_least_recently_used_entry_makes_room(tiny, own_cache, monkeypatch):
    net = adapted(PARTIAL, tiny("bert"))
    texts = [[f"{word} {TEXTS[0]}"] for word in ("cat", "dog", "bird")]
    first, second, third = (tokens_of(net, part) for part in texts)
    size = max(tokens.lengths.sum() for tokens in (first, second, third)) * net.backbone.width * 4
    monkeypatch.setenv("STRATUNE_CACHE_GB", str(2.5 * size / 1e9))  # two, with their little JSON files
    feed(net, first, HOW)
    used_first = entries(own_cache)
    feed(net, second, HOW)
    for age, name in enumerate(entries(own_cache)):  # a clock may not tell two quick entries apart
        os.utime(own_cache / "activations" / name, (1000 + age, 1000 + age))
    feed(net, first, HOW)  # used again: now the second one is the oldest
    feed(net, third, HOW)
    assert len(entries(own_cache)) == 2
    assert used_first[0] in entries(own_cache)


def test_an_entry_in_use_outlives_its_eviction(tiny, own_cache):
    net = adapted(PARTIAL, tiny("bert"))
    found = feed(net, tokens_of(net), HOW)
    wanted = infer(net, found, HOW)
    activations._evict(own_cache / "activations", 0)
    assert not entries(own_cache)
    assert np.array_equal(infer(net, found, HOW), wanted)


def test_a_full_disk_means_training_without_a_cache(tiny, own_cache, monkeypatch):
    wanted = trained(PARTIAL, tiny("bert"), cache=False)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("STRATUNE_CACHE", str(own_cache / "full"))
    monkeypatch.setattr(os, "fsync", full)
    run = trained(PARTIAL, tiny("bert"))
    np.testing.assert_allclose(logits_of(run), logits_of(wanted), atol=1e-4)
    assert not [f for f in (own_cache / "full").rglob("*") if f.is_file()]


def test_other_trouble_with_the_disk_is_not_hidden(tiny, monkeypatch):
    def broken(handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        trained(PARTIAL, tiny("bert"))


@pytest.mark.parametrize("spec", ["probe", PARTIAL])
def test_a_killed_write_leaves_nothing_that_is_read(spec, tiny, own_cache):
    net = adapted(spec, tiny("bert"))
    tokens = tokens_of(net)

    def killed(rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feed(net, tokens, HOW, progress=Callbacks(rows=killed))
    assert not entries(own_cache)
    wanted = infer(net, feed(net, tokens, HOW, cache=False), HOW)
    np.testing.assert_allclose(infer(net, feed(net, tokens, HOW), HOW), wanted, atol=1e-5)
    assert len(entries(own_cache)) == 1


def test_two_processes_may_make_the_same_entry(tiny, own_cache):
    """The second finds it made when it is done; what the first reads from is not taken away."""
    net = adapted(PARTIAL, tiny("bert"))
    tokens = tokens_of(net)
    made = []

    def meanwhile(rows):
        if not made:
            made.append(feed(net, tokens, HOW))

    second = feed(net, tokens, HOW, progress=Callbacks(rows=meanwhile))
    assert len(entries(own_cache)) == 1
    assert np.array_equal(infer(net, made[0], HOW), infer(net, second, HOW))


def test_the_seconds_it_took_are_told_to_whoever_uses_it(tiny):
    net = adapted(PARTIAL, tiny("bert"))
    first, again = (feed(net, tokens_of(net), HOW) for _ in range(2))
    assert first.seconds == again.seconds > 0
    assert feed(net, tokens_of(net), HOW, cache=False).seconds == 0


def test_ticks_count_every_row_once(tiny):
    net = adapted(PARTIAL, tiny("bert"))
    counts = []
    feed(net, tokens_of(net), HOW, progress=Callbacks(rows=counts.append))
    assert sum(counts) == len(TEXTS)


def test_the_limit_never_takes_more_than_half_of_the_disk(monkeypatch):
    monkeypatch.setattr(activations.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    assert cache_limit_bytes() == 500
    monkeypatch.setenv("STRATUNE_CACHE_GB", "1e-7")
    assert cache_limit_bytes() == 100
