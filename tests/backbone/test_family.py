"""The map that is derived of a model, against the model."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from stratune.backbone.derive import linears_of
from stratune.backbone.load import load_backbone
from stratune.backbone.tokenizer import load_tokenizer
from stratune.errors import BackboneError, UnsupportedError
from stratune.objective.classes import CrossEntropy
from stratune.readout.head import Head
from stratune.testing import DECODERS, MODEL_TYPES
from stratune.testing.models import BLOCKS
from stratune.testing.nets import fresh_net
from stratune.tokens.batches import Batch


@pytest.fixture(params=MODEL_TYPES)
def backbone(request, tiny):
    return load_backbone(str(tiny(request.param)))


def test_blocks_are_found(backbone):
    assert len(backbone.blocks) == (1 if backbone.family.shared_blocks else BLOCKS)


def test_linears_are_what_they_are_called(backbone):
    for block in backbone.blocks:
        for path in backbone.family.linears.values():
            assert isinstance(block.get_submodule(path), (torch.nn.Linear, Conv1D)), path
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


BERT = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "o": "attention.output.dense",
    "up": "intermediate.dense",
    "down": "output.dense",
}
DEBERTA = {"q": "query_proj", "k": "key_proj", "v": "value_proj"}
LLAMA = {
    **{role: f"self_attn.{role}_proj" for role in "qkvo"},
    **{role: f"mlp.{role}_proj" for role in ("gate", "up", "down")},
}
# Of each kind of spelling, what a reader would call the list of blocks and the linears in them.
ROLES = {
    "bert": ("encoder.layer", BERT),
    "deberta-v2": (
        "encoder.layer",
        {**BERT, **{role: f"attention.self.{name}" for role, name in DEBERTA.items()}},
    ),
    "distilbert": (
        "transformer.layer",
        {
            **{role: f"attention.{role}_lin" for role in "qkv"},
            "o": "attention.out_lin",
            "up": "ffn.lin1",
            "down": "ffn.lin2",
        },
    ),
    "modernbert": ("layers", {"qkv": "attn.Wqkv", "o": "attn.Wo", "up": "mlp.Wi", "down": "mlp.Wo"}),
    "gpt2": ("h", {"qkv": "attn.c_attn", "o": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}),
    "llama": ("layers", LLAMA),
    "gemma3": ("layers", LLAMA),  # its language model alone: it sees pictures, too
    "phi3": (
        "layers",
        {
            "qkv": "self_attn.qkv_proj",
            "o": "self_attn.o_proj",
            "up": "mlp.gate_up_proj",
            "down": "mlp.down_proj",
        },
    ),
    "mixtral": ("layers", {role: f"self_attn.{role}_proj" for role in "qkvo"}),  # experts are no linears
    "t5": (
        "block",
        {
            **{role: f"layer.0.SelfAttention.{role}" for role in "qkvo"},
            "up": "layer.1.DenseReluDense.wi",
            "down": "layer.1.DenseReluDense.wo",
        },
    ),
    "bart": (
        "layers",
        {
            **{role: f"self_attn.{role}_proj" for role in "qkv"},
            "o": "self_attn.out_proj",
            "up": "fc1",
            "down": "fc2",
        },
    ),
}


@pytest.mark.parametrize("model_type", ROLES)
def test_roles_are_those_that_a_reader_would_give(model_type, tiny):
    blocks, linears = ROLES[model_type]
    family = load_backbone(str(tiny(model_type))).family
    assert family.blocks == (blocks,)
    assert family.linears == linears


def test_parts_of_a_block_that_stand_in_lists_of_their_own_are_one_block(tiny):
    """XLM's attentions and feed-forwards are not inside of one module."""
    backbone = load_backbone(str(tiny("xlm")))
    assert len(backbone.blocks) == BLOCKS
    assert backbone.family.linears["o"] == "attentions.out_lin"
    assert backbone.blocks[1].get_submodule("ffns.lin2") is backbone.model.ffns[1].lin2
    assert not backbone.family.resumable, "there is no call of a block that could be skipped"


def test_blocks_of_several_kinds_have_their_own_linears(tiny):
    """Jamba has attention in some blocks, and a state-space mixer in the others."""
    backbone = load_backbone(str(tiny("jamba")))
    mixer, attention, _ = (set(backbone.linears_of(block)) for block in backbone.blocks)
    assert {"in", "o"} <= mixer and "q" not in mixer
    assert {"q", "k", "v", "o"} <= attention and "in" not in attention


@pytest.mark.parametrize(
    ("model_type", "reserved"), [("bert", 0), ("roberta", 2), ("mpnet", 2), ("bart", 0), ("xlnet", 0)]
)
def test_positions_start_after_the_padding_index_where_the_table_does(model_type, reserved, tiny):
    assert load_backbone(str(tiny(model_type))).family.reserved_positions == reserved


@pytest.mark.parametrize("model_type", [*MODEL_TYPES, "t5", "gemma3", "xlm"])
def test_the_map_without_weights_is_the_map_with_weights(model_type, tiny):
    """But for what shows only when the model runs."""
    without = load_tokenizer(str(tiny(model_type))).family
    loaded = load_backbone(str(tiny(model_type))).family
    unseen = {name: getattr(without, name) for name in ("final_norm", "block_returns_tuple", "resumable")}
    assert replace(loaded, **unseen) == without


def test_of_an_encoder_decoder_the_encoder_is_used(tiny):
    backbone = load_backbone(str(tiny("t5")))
    assert not backbone.family.decoder and backbone.pool == "mean"
    assert not [name for name, _ in backbone.model.named_parameters() if "decoder" in name]
    with pytest.raises(UnsupportedError, match="only the encoder would read the texts"):
        load_backbone(str(tiny("t5")), language_model=True, new_head=True)


def test_two_linears_of_one_shape_are_up_and_down_in_their_order():
    block = nn.ModuleDict({"first": nn.Linear(8, 8), "second": nn.Linear(8, 8), "router": nn.Linear(8, 4)})
    assert linears_of(block, 8) == {"up": "first", "down": "second"}


@pytest.mark.parametrize(
    ("model_type", "why"),
    [
        ("fnet", "model type 'fnet': it takes no attention mask, so that padding would change its numbers"),
        ("perceiver", "model type 'perceiver': it reads no token ids"),
        ("squeezebert", "model type 'squeezebert': no list of blocks that hold linear layers is found"),
        ("reformer", "model type 'reformer': its attention hashes tokens at random"),
        ("convbert", "padding changes its numbers, so that a batch's would not be its texts'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(model_type, why, tiny):
    with pytest.raises(BackboneError, match=why):
        load_backbone(str(tiny(model_type)))


def test_a_causal_model_that_reads_both_ways_is_an_encoder(tiny, tmp_path):
    """EmbeddingGemma is a Gemma 3 whose tokens attend to those behind them."""
    folder = shutil.copytree(tiny("gemma3_text"), tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "use_bidirectional_attention": True}))
    assert load_backbone(str(tiny("gemma3_text"))).family.decoder
    backbone = load_backbone(str(folder))
    assert not backbone.family.decoder and backbone.pool == "mean"


def test_left_padding_changes_nothing_where_the_model_counts_positions_itself(tiny):
    """BART's encoder gives the first column the first position, padding or not."""
    backbone = load_backbone(str(tiny("bart")))
    assert "position_ids" not in backbone.family.inputs
    net = fresh_net(backbone, Head(), CrossEntropy(2)).eval()
    ids, mask = torch.tensor([[7, 8, 9, 10], [7, 8, 0, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    left = Batch(torch.tensor([[7, 8, 9, 10], [0, 0, 7, 8]]), torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]]))
    with torch.no_grad():
        right, found = net.encode(Batch(ids, mask)), net.encode(left)
    assert torch.allclose(found[1, 2:], right[1, :2], atol=1e-6)
