"""Which cell of the picture a tensor belongs to, by its name. One without a cell is an error: a picture that
silently leaves out something trainable would be worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stratune.export.native import block_norms

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.net.net import Net


@dataclass(frozen=True)
class Cell:
    role: str  # of the family map (q k v o up down; attention output), or one of those below
    block: int | None = None  # counted from the bottom; None: outside the blocks


# Outside the blocks the family map has no names: these are BERT's.
OUTSIDE = {
    "model.embeddings.word_embeddings": Cell("words"),
    "model.embeddings.position_embeddings": Cell("positions"),
    "model.embeddings.token_type_embeddings": Cell("segments"),
    "model.embeddings.LayerNorm": Cell("norm"),
    "model.prompt": Cell("prompt"),
    "head.linear": Cell("head"),
}

# How what follows the cell's own path begins -> what the picture calls it. The first that fits counts.
OWN = {"weight": "weight", "bias": "bias", "base_layer.weight": "weight", "base_layer.bias": "bias"}
ADDED = {
    **{"lora_A": "A", "lora_B": "B", "lora_magnitude_vector": "m"},
    **{"vera_lambda_d": "d", "vera_lambda_b": "b"},
    **{"ia3_l": "× scale"},
    **{"down": "adapter", "up": "adapter"},
    **{"keys": "keys", "values": "values", "vectors": "vectors"},
    **{"encoder.table": "table", "encoder.lstm": "LSTM", "encoder": "MLP"},
}
PARTS = OWN | ADDED

_WRAPPED = re.compile(r"^model\.(?:base_model\.)?model\.")  # the model within peft's wrapper, or ours

Parts = dict[str, bool]  # a part's short name -> whether it is trainable


def contents(net: Net) -> dict[Cell, Parts]:
    """What each cell of the net holds. A tensor that several blocks hold is in each of them."""
    places, trainable = paths(net.backbone), {id(p) for p in net.trainable().values()}
    found: dict[Cell, Parts] = {}
    for name, tensor in net.named_parameters(remove_duplicate=False):
        cell, part = placed(name, places)
        parts = found.setdefault(cell, {})
        parts[part] = parts.get(part, False) or id(tensor) in trainable
    return found


def paths(backbone: Backbone) -> dict[str, Cell]:
    """Where each cell's tensors are, as a net that nothing wraps names them."""
    family = backbone.family
    inside = {
        **family.linears,
        **block_norms(backbone),
        "prefix": f"{family.linears['q'].rpartition('.')[0]}.prefix",
    }
    return OUTSIDE | {
        f"model.{family.blocks[0]}.{i}.{path}": Cell(role, i)
        for i in range(len(backbone.blocks))
        for role, path in inside.items()
    }


def placed(name: str, places: dict[str, Cell]) -> tuple[Cell, str]:
    """The cell of a tensor, and which part of it. Raises ValueError when it has none."""
    bare = _WRAPPED.sub("model.", name)
    for path, cell in places.items():
        for start, part in PARTS.items():
            if f"{bare}.".startswith(f"{path}.{start}."):
                return cell, part
    raise ValueError(f"no cell of the picture stands for {name}")
