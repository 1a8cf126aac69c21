"""The map of a family, derived from a bare model (on the meta device, too) and its configuration."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from stratune.backbone.family import Family, exception_of
from stratune.errors import BackboneError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

# Name of a linear (its last part) -> role, in attention and in a state-space mixer.
_ATTENTION = {
    "q": r"q|query|q_(proj|lin|head|b_proj)|query_proj|wq",
    "k": r"k|key|k_(proj|lin|head)|key_proj|wk",
    "v": r"v|value|v_(proj|lin|head)|value_proj|wv",
    "qkv": r"w?qkv|qkv_proj|query_key_value|c_attn|in_proj",
    "q_a": r"q_a_proj",
    "kv_a": r"kv_a_proj\w*",
    "kv": r"kv_(b_)?proj",
    "o": r"o|o_proj|out_(proj|lin)|post_proj|wo|c_proj|dense|output",
}
_MIXER = {"in": r"in_proj\w*", "o": r"out_proj"}
_IN_ATTENTION = re.compile(r"att(n|ention|$)", re.IGNORECASE)
_IN_MIXER = re.compile(r"mamba|mixer|linear_attn|conv", re.IGNORECASE)
_GATE = re.compile(r"gate(?!_up)|wi_0")
_ROUTER = re.compile(r"router|shared_expert_gate|\.wg$|adapter|indexer|norm")
_POSITIONS = re.compile(r"position|embed_pos|wpe")


def derive(model: Any, config: PreTrainedConfig, backbone_id: str) -> Family:
    """The family of a bare model that `text_part` gave, of which `config` is the whole configuration.

    Raises BackboneError for a model that reads no tokens, or has no blocks that hold linears.
    """
    known, kind = exception_of(config.model_type), f"{backbone_id}: model type {config.model_type!r}"
    inputs = frozenset(inspect.signature(type(model).forward).parameters)
    if why := known.refused or _unreadable(inputs):
        raise BackboneError(f"{kind}: {why}")
    lists = _block_lists(model)
    if not lists:
        raise BackboneError(f"{kind}: no list of blocks that hold linear layers is found in it")
    decoder = is_decoder(config)
    kinds = [linears_of(block, model.config.hidden_size) for block in _zipped(lists)]
    return Family(
        **{
            "name": config.model_type,
            "blocks": tuple(lists),
            "linears": {role: path for roles in reversed(kinds) for role, path in roles.items()},
            "inputs": inputs,
            "decoder": decoder,
            "pool": "last" if decoder else "mean",
            "head_norm": not decoder,
            "reserved_positions": _reserved_positions(model),
            "transposed_linears": any(map(_transposed, model.modules())),
            "mixture": any(map(is_experts, model.modules())),
            **known.fields,
        }
    )


def _unreadable(inputs: frozenset[str]) -> str | None:
    if "input_ids" not in inputs:
        return "it reads no token ids"
    if "attention_mask" not in inputs:
        return "it takes no attention mask, so that padding would change its numbers"
    return None


def is_decoder(config: PreTrainedConfig) -> bool:
    """Whether each token attends to those before it only."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    known = exception_of(config.model_type).fields
    if "decoder" in known:
        return bool(known["decoder"])
    both_ways = getattr(config.get_text_config(), "use_bidirectional_attention", None)
    # BERT and its kin have a causal class, too: as decoders of encoder-decoders.
    causal = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.keys() - MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return causal and not config.is_encoder_decoder and not both_ways


def text_part(model: Any) -> Any:
    """The part of a bare model that makes hidden states of a text.

    Of an encoder-decoder, the encoder; of a model that sees pictures, too, its language model; else itself.
    """
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    text = model.config.get_text_config()
    if text is model.config:
        return model
    parts = (part for part in model.children() if getattr(part, "config", None) is text)
    return next(parts, model)


def options_of(model: Any, config: PreTrainedConfig) -> dict[str, Any]:
    """Options to load a model of this class with.

    Without the pooler, a dense layer on [CLS] that we never use. BigBird's sparse attention draws random
    blocks, and switches to full attention for good after the first short batch: a row's logits would depend
    on the rows before it.
    """
    found: dict[str, Any] = {}
    if "add_pooling_layer" in inspect.signature(type(model).__init__).parameters:
        found["add_pooling_layer"] = False
    if getattr(config, "attention_type", None) == "block_sparse":
        found["attention_type"] = "original_full"
    return found


def blocks_of(model: Any, family: Family) -> list[nn.Module]:
    """The transformer blocks, bottom first."""
    return _zipped({path: model.get_submodule(path) for path in family.blocks})


def linears_of(block: nn.Module, width: int) -> Mapping[str, str]:
    """Role -> path in the block, of each linear that has one: in attention by its name, elsewhere by shape.

    Linears of the feed-forward read or write the width of the block (`width`, unless its queries read
    another one). Of two for one role the first counts: routers, experts and adapters have none.
    """
    linears = {name: shape for name, m in block.named_modules() if (shape := _shape(m))}
    reads = next(
        (shape[0] for name, shape in linears.items() if _attention_role(name) in ("q", "qkv")), width
    )
    found: dict[str, str] = {}
    for name, shape in linears.items():
        if (role := _attention_role(name) or _forward_role(name, shape, reads, "up" in found)) is not None:
            found.setdefault(role, name)
    order = ("q", "k", "v", "qkv", "q_a", "kv_a", "kv", "in", "o", "gate", "up", "down")
    return {role: found[role] for role in order if role in found}


def _attention_role(name: str) -> str | None:
    *_, leaf = name.lower().split(".")
    place = name.rpartition(".")[0]
    if _ROUTER.search(name) or not (_IN_ATTENTION.search(place) or _IN_MIXER.search(place)):
        return None
    names = _MIXER if _IN_MIXER.search(place) else _ATTENTION
    return next((role for role, pattern in names.items() if re.fullmatch(pattern, leaf)), None)


def _forward_role(name: str, shape: tuple[int, int], width: int, has_up: bool) -> str | None:
    if _ROUTER.search(name) or _IN_ATTENTION.search(name) or _IN_MIXER.search(name):
        return None
    reads, writes = shape
    if reads == width and not (writes == width and has_up):
        return "gate" if _GATE.search(name) else "up"
    return "down" if writes == width else None


def _shape(module: nn.Module) -> tuple[int, int] | None:
    """(in, out) of a linear."""
    if _transposed(module):
        weight: Any = module.weight
        return tuple(weight.shape)
    return (module.in_features, module.out_features) if isinstance(module, nn.Linear) else None


def is_experts(module: nn.Module) -> bool:
    """The experts of a mixture, as one module: their weights are stacked."""
    return type(module).__name__.endswith("Experts")


def _transposed(module: nn.Module) -> bool:
    from transformers.pytorch_utils import Conv1D

    return isinstance(module, Conv1D)


def _block_lists(model: nn.Module) -> dict[str, nn.ModuleList]:
    """The biggest list of modules that hold linears, and the lists beside it that are as long."""
    lists = {name: m for name, m in model.named_modules() if isinstance(m, nn.ModuleList) and len(m)}
    outer = {n: m for n, m in lists.items() if not any(n.startswith(f"{other}.") for other in lists)}
    holding = [name for name, m in outer.items() if any(map(_shape, m.modules()))]
    if not holding:
        return {}
    biggest = max(holding, key=lambda name: sum(p.numel() for p in outer[name].parameters()))
    place = biggest.rpartition(".")[0]
    beside = {n: m for n, m in outer.items() if n.rpartition(".")[0] == place}
    long = {n: m for n, m in beside.items() if len(m) == len(outer[biggest])}
    return {n: m for n, m in long.items() if next(m.parameters(), None) is not None}


def _zipped(lists: Mapping[str, nn.Module]) -> list[nn.Module]:
    """One list's modules; of several lists, the first modules of all in one, and so on."""
    columns = {name.rpartition(".")[2]: list(one.children()) for name, one in lists.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    rows = zip(*columns.values(), strict=True)
    return [nn.ModuleDict(dict(zip(columns, parts, strict=True))) for parts in rows]


def _reserved_positions(model: nn.Module) -> int:
    """RoBERTa and its kin: the table of positions starts after the index of padding."""
    tables = {n: m for n, m in model.named_modules() if isinstance(m, nn.Embedding) and _POSITIONS.search(n)}
    found = [m.padding_idx + 1 for m in tables.values() if m.padding_idx is not None]
    return max(found, default=0)
