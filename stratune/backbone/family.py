"""What differs between model families: blocks, roles of their linears, pooling, positions.

All of it is derived from the model (derive.py, observe.py); here are the type, and the exceptions that no
rule finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Pool = Literal["first", "mean", "last"]
Held = Literal["float32", "bfloat16", "int8", "nf4"]  # how weights are held in memory (held.py)
PACKED = ("int8", "nf4")  # no tensors that could be trained
# Roles of a block's linears in its attention, or in what stands in its place (a state-space mixer).
ATTENTION = ("q", "k", "v", "o", "qkv", "q_a", "kv_a", "kv", "in")


@dataclass(frozen=True)
class Family:
    """Paths of `blocks` and `final_norm` are relative to the bare model, those of `linears` to a block."""

    name: str  # config.model_type
    # The ModuleList of transformer blocks; several where parts of a block stand in lists of their own (XLM)
    blocks: tuple[str, ...]
    # role -> path: q k v o (or fused qkv), up down (and gate). Where blocks are of several kinds, of the
    # first block that has the role (`Backbone.linears_of` gives each block's own).
    linears: Mapping[str, str]
    inputs: frozenset[str] = frozenset()  # names that the model's forward takes
    pool: Pool = "mean"
    decoder: bool = False
    head_norm: bool = True  # LayerNorm between pooling and the linear head
    reserved_positions: int = 0  # first rows of the position table, which no token uses
    transposed_linears: bool = False  # GPT-2's Conv1D keeps weights as (in, out)
    # ALBERT: one set of weights runs as every block, so no block can be tuned alone
    shared_blocks: bool = False
    # Longformer: the first token attends globally, the others to their neighbours and to the first
    global_first: bool = False
    mixture: bool = False  # of experts, which are no linears: each token passes a few of them
    # -- seen when the loaded model runs (observe.py)
    final_norm: str | None = None  # path of the norm after the last block, where there is one
    block_returns_tuple: bool = False
    unused: frozenset[str] = frozenset()  # parameters that hidden states do not depend on
    # Blocks run once each, in order, and pass on hidden states (B, T, C): what is below one can be cached
    resumable: bool = True

    @property
    def attention(self) -> tuple[str, ...]:
        return tuple(role for role in self.linears if role in ATTENTION)

    @property
    def feed_forward(self) -> tuple[str, ...]:
        return tuple(role for role in self.linears if role not in self.attention)


@dataclass(frozen=True)
class Exceptional:
    """What no rule finds out about a model type: fields of its `Family`, or why it is refused."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    refused: str | None = None


EXCEPTIONS: Mapping[str, Exceptional] = {
    "albert": Exceptional({"pool": "first", "shared_blocks": True, "head_norm": False}),
    "axk2": Exceptional(refused="its sparse attention chooses among padding, too, which changes its numbers"),
    "longformer": Exceptional({"global_first": True}),
    # Listed among causal language models, but attends in both directions without a permutation.
    "xlnet": Exceptional({"decoder": False, "pool": "mean", "head_norm": True}),
    "mra": Exceptional(refused="without a kernel of its own its attention gives nothing but zeros"),
    "reformer": Exceptional(refused="its attention hashes tokens at random, so that its numbers are drawn"),
    # A decoder of transformers that has no causal language model class of its own.
    "mistral4": Exceptional({"decoder": True, "pool": "last", "head_norm": False}),
}


def exception_of(model_type: str) -> Exceptional:
    return EXCEPTIONS.get(model_type, Exceptional())
