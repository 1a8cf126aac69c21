"""What differs between model families: paths of blocks, linears and norms, and how a text is pooled.

A new family is one more `Family(...)` here; the contract suite covers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from stratune.errors import BackboneError

Pool = Literal["first", "mean", "last"]
ATTENTION = ("q", "k", "v", "o", "qkv")


@dataclass(frozen=True)
class Family:
    """Paths are relative to the bare model (`AutoModel`); `linears` and `norms` are relative to one block."""

    name: str
    model_types: tuple[str, ...]  # `config.model_type` values that have this shape
    blocks: str  # the ModuleList of transformer blocks
    linears: Mapping[str, str]  # role -> path: q k v o (or fused qkv), up down (and gate)
    pool: Pool = "mean"
    decoder: bool = False
    # ALBERT: one set of weights runs as every block, so no block can be tuned alone
    shared_blocks: bool = False
    block_returns_tuple: bool = False
    final_norm: str | None = None  # path of the norm after the last block, where there is one
    norms: Mapping[str, str] = field(
        default_factory=dict
    )  # post-norm blocks: role -> path: attention, output
    head_norm: bool = True  # LayerNorm between pooling and the linear head
    reserved_positions: int = 0  # first rows of the position table, which no token uses
    attention_by_name: bool = True  # looks up its attention function in transformers, so ours can replace it
    transposed_linears: bool = False  # GPT-2's Conv1D keeps weights as (in, out)
    # Longformer: the first token attends globally, the others to their neighbours and to the first
    global_first: bool = False
    pads: bool = False  # pads its input itself: hidden states between its blocks are longer than the batch
    options: Mapping[str, str] = field(default_factory=dict)  # configuration to load it with
    pooler: bool = False  # the bare class adds a dense layer on [CLS], which we never use: load it without

    @property
    def attention(self) -> tuple[str, ...]:
        return tuple(role for role in self.linears if role in ATTENTION)

    @property
    def feed_forward(self) -> tuple[str, ...]:
        return tuple(role for role in self.linears if role not in self.attention)


_BERT_LINEARS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "o": "attention.output.dense",
    "up": "intermediate.dense",
    "down": "output.dense",
}
_BERT_NORMS = {"attention": "attention.output.LayerNorm", "output": "output.LayerNorm"}
_LLAMA_LINEARS = {
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}

FAMILIES: tuple[Family, ...] = (
    Family("bert", ("bert",), "encoder.layer", _BERT_LINEARS, norms=_BERT_NORMS, pooler=True),
    Family(
        "roberta",
        ("roberta", "xlm-roberta", "camembert"),
        "encoder.layer",
        _BERT_LINEARS,
        norms=_BERT_NORMS,
        reserved_positions=2,  # the table starts after the padding index
        pooler=True,
    ),
    Family(
        "longformer",
        ("longformer",),
        "encoder.layer",
        # Without the linears of its global attention: in the last block they change the first token only, so
        # a head that pools the other tokens gives them no gradient.
        _BERT_LINEARS,
        norms=_BERT_NORMS,
        reserved_positions=2,
        block_returns_tuple=True,
        attention_by_name=False,
        global_first=True,
        pads=True,
        pooler=True,
    ),
    Family(
        "big_bird",
        ("big_bird",),
        "encoder.layer",
        _BERT_LINEARS,
        norms=_BERT_NORMS,
        attention_by_name=False,
        # Its sparse attention draws random blocks, and switches to full attention for good after the first
        # short batch: a row's logits would depend on the rows before it.
        options={"attention_type": "original_full"},
        pooler=True,
    ),
    Family("electra", ("electra",), "encoder.layer", _BERT_LINEARS, norms=_BERT_NORMS),
    Family(
        "distilbert",
        ("distilbert",),
        "transformer.layer",
        {
            "q": "attention.q_lin",
            "k": "attention.k_lin",
            "v": "attention.v_lin",
            "o": "attention.out_lin",
            "up": "ffn.lin1",
            "down": "ffn.lin2",
        },
        norms={"attention": "sa_layer_norm", "output": "output_layer_norm"},
    ),
    Family(
        "deberta-v2",
        ("deberta-v2",),
        "encoder.layer",
        {
            **_BERT_LINEARS,
            "q": "attention.self.query_proj",
            "k": "attention.self.key_proj",
            "v": "attention.self.value_proj",
        },
        norms=_BERT_NORMS,
        block_returns_tuple=True,
        attention_by_name=False,
    ),
    Family(
        "modernbert",
        ("modernbert",),
        "layers",
        {"qkv": "attn.Wqkv", "o": "attn.Wo", "up": "mlp.Wi", "down": "mlp.Wo"},
        final_norm="final_norm",
    ),
    Family(
        "albert",
        ("albert",),
        "encoder.albert_layer_groups",
        {
            "q": "albert_layers.0.attention.query",
            "k": "albert_layers.0.attention.key",
            "v": "albert_layers.0.attention.value",
            "o": "albert_layers.0.attention.dense",
            "up": "albert_layers.0.ffn",
            "down": "albert_layers.0.ffn_output",
        },
        pool="first",
        shared_blocks=True,
        head_norm=False,
        pooler=True,
    ),
    Family(
        "llama",
        ("llama", "mistral", "qwen2", "qwen3"),
        "layers",
        _LLAMA_LINEARS,
        pool="last",
        decoder=True,
        final_norm="norm",
        head_norm=False,
    ),
    Family(
        "gpt2",
        ("gpt2",),
        "h",
        {"qkv": "attn.c_attn", "o": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"},
        pool="last",
        decoder=True,
        final_norm="ln_f",
        transposed_linears=True,
        head_norm=False,
    ),
)


def family_of(model_type: str, backbone_id: str) -> Family:
    """The family of a `config.model_type`. Raises BackboneError naming the families there are."""
    for family in FAMILIES:
        if model_type in family.model_types:
            return family
    known = ", ".join(sorted(name for family in FAMILIES for name in family.model_types))
    raise BackboneError(f"{backbone_id}: model type {model_type!r} is not one of {known}")
