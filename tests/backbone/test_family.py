"""The map of every family, against its real model."""

import pytest
import torch
from transformers.pytorch_utils import Conv1D

from stratune.backbone.family import FAMILIES, family_of
from stratune.backbone.load import load_backbone
from stratune.errors import BackboneError
from stratune.testing import DECODERS, MODEL_TYPES
from stratune.testing.models import BLOCKS


@pytest.fixture(params=MODEL_TYPES)
def backbone(request, tiny):
    return load_backbone(str(tiny(request.param)))


def test_blocks_are_found(backbone):
    assert len(backbone.blocks) == (1 if backbone.family.shared_blocks else BLOCKS)


def test_linears_and_norms_are_what_they_are_called(backbone):
    for block in backbone.blocks:
        for path in backbone.family.linears.values():
            assert isinstance(block.get_submodule(path), (torch.nn.Linear, Conv1D)), path
        for path in backbone.family.norms.values():
            assert isinstance(block.get_submodule(path), torch.nn.LayerNorm), path
    if backbone.family.final_norm:
        assert "Norm" in type(backbone.model.get_submodule(backbone.family.final_norm)).__name__


def test_every_linear_of_a_block_has_a_role(backbone):
    """But for those of Longformer's global attention, which reach the first token alone."""
    for block in backbone.blocks:
        named = {id(block.get_submodule(path)) for path in backbone.family.linears.values()}
        linears = {n: m for n, m in block.named_modules() if isinstance(m, (torch.nn.Linear, Conv1D))}
        assert {id(m) for n, m in linears.items() if not n.endswith("_global")} == named


def test_roles_are_attention_or_feed_forward(backbone):
    family = backbone.family
    assert set(family.attention) in ({"q", "k", "v", "o"}, {"qkv", "o"})
    assert set(family.feed_forward) in ({"up", "down"}, {"gate", "up", "down"})
    assert len(family.attention) + len(family.feed_forward) == len(family.linears)


def test_nothing_stands_between_the_last_block_and_the_end_but_the_final_norm(backbone):
    """What `partial` leaves frozen below its blocks is all there is: no layer above them is forgotten."""
    inside = {id(p) for block in backbone.blocks for p in block.parameters()}
    if backbone.family.final_norm:
        inside |= {id(p) for p in backbone.model.get_submodule(backbone.family.final_norm).parameters()}
    outside = [name for name, p in backbone.model.named_parameters() if id(p) not in inside]
    below = (
        "embeddings",
        "embed_tokens",
        "wte",
        "wpe",
        "encoder.rel_embeddings",
        "encoder.LayerNorm",
        "encoder.embedding",
    )
    assert all(name.startswith(below) for name in outside), outside


def test_the_pooler_is_left_out(backbone):
    assert not [name for name, _ in backbone.model.named_parameters() if "pooler" in name]


def test_decoders_pool_the_last_token_and_encoders_do_not(backbone):
    assert backbone.family.decoder == (backbone.model.config.model_type in DECODERS)
    assert (backbone.pool == "last") == backbone.family.decoder


def test_no_model_type_is_in_two_families():
    names = [name for family in FAMILIES for name in family.model_types]
    assert len(names) == len(set(names))


def test_an_unknown_family_is_refused_with_those_there_are():
    with pytest.raises(
        BackboneError, match="some/model: model type 't5' is not one of albert, bert, big_bird, camembert"
    ):
        family_of("t5", "some/model")
