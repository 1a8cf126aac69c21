"""Sparse gradients of embedding tables: the optimiser gets what it got before."""

import pytest
import torch

from stratune.strategy import Recipe
from stratune.train import tables
from tests.helpers import adapted, learned, trained
from tests.train.loops import make_loop, optimiser_steps


def steps_of(folder, large, monkeypatch, **settings):
    monkeypatch.setattr(tables, "LARGE", large)
    net = adapted("full", folder)
    embedding = net.backbone.model.get_input_embeddings()
    loop = make_loop(net, recipe=Recipe(batch_size=8, max_grad_norm=0.05), **settings)
    with optimiser_steps() as seen:
        loop.run()
    names = {parameter: name for name, parameter in net.trainable().items()}
    found = [{names[p]: gradient for p, gradient in gradients.items()} for gradients, _ in seen]
    return found, embedding, {name: p.detach().clone() for name, p in net.trainable().items()}


def test_the_optimiser_gets_whole_gradients_that_are_clipped_alike(tiny, monkeypatch):
    dense, plain, ends = steps_of(tiny("bert"), 10**9, monkeypatch)
    sparse, table, same_ends = steps_of(tiny("bert"), 1, monkeypatch)
    assert len(dense) == len(sparse) > 2
    for one, other in zip(dense, sparse, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert not other[name].is_sparse
            torch.testing.assert_close(other[name], one[name], atol=1e-7, rtol=1e-4)
    for name, end in ends.items():
        torch.testing.assert_close(
            same_ends[name], end, atol=1e-4, rtol=1e-3
        )  # AdamW divides by small numbers
    assert not plain.sparse and not table.sparse  # as it was, once training is over


def test_the_table_is_one_that_is_sparse_while_it_is_trained(tiny, monkeypatch):
    monkeypatch.setattr(tables, "LARGE", 1)
    net = adapted("full", tiny("bert"))
    found = tables.Tables(net, alone=True)
    assert net.backbone.model.get_input_embeddings() in found.modules
    with found:
        assert net.backbone.model.get_input_embeddings().sparse
    assert not tables.Tables(net, alone=False).modules
    assert not tables.Tables(adapted("lora", tiny("bert")), alone=True).modules  # it is frozen


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_training_ends_in_the_same_place(family, tiny, monkeypatch):
    monkeypatch.setattr(tables, "LARGE", 10**9)
    plain = learned(trained("full", tiny(family), micro_batch_tokens=64))
    monkeypatch.setattr(tables, "LARGE", 1)
    again = learned(trained("full", tiny(family), micro_batch_tokens=64))
    for name, tensor in plain.items():
        torch.testing.assert_close(again[name], tensor, atol=1e-5, rtol=1e-3)
