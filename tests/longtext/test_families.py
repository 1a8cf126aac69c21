"""Backbones that read long texts by themselves."""

import pytest
import torch

from stratune.backbone.load import load_backbone
from stratune.objective.classes import CrossEntropy
from stratune.readout.head import Head
from stratune.testing.nets import fresh_net
from stratune.tokens.batches import collate
from stratune.tokens.tokens import TextLimit, tokenise


def hidden(folder, texts):
    """(B, T, C) of the backbone, as a net asks it."""
    backbone = load_backbone(str(folder))
    net = fresh_net(backbone, Head(pool="first"), CrossEntropy(2)).eval()
    tokens = tokenise(backbone, texts, None, TextLimit())
    with torch.no_grad():
        return net.encode(collate(tokens, range(len(texts)), backbone.tokenizer.pad_token_id))


@pytest.mark.parametrize("model_type", ["longformer", "big_bird"])
def test_the_first_token_sees_the_last_one_however_far_it_is(model_type, tiny):
    """A tiny Longformer's own window ends after 8 tokens: what the first one knows of the last is global."""
    words = ["the"] * 60
    here, there = hidden(tiny(model_type), [" ".join([*words, "cat"]), " ".join([*words, "rain"])])
    assert (here[0] - there[0]).abs().max() > 1e-4


def test_without_its_global_attention_it_would_not(tiny, monkeypatch):
    """So the test above can fail."""
    from dataclasses import replace

    from stratune.backbone import load

    plain = load.derive
    monkeypatch.setattr(load, "derive", lambda *given: replace(plain(*given), global_first=False))
    words = ["the"] * 60
    here, there = hidden(tiny("longformer"), [" ".join([*words, "cat"]), " ".join([*words, "rain"])])
    assert (here[0] - there[0]).abs().max() == 0
    assert (here[-2] - there[-2]).abs().max() > 1e-4
