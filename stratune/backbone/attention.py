"""Attention with a prefix: keys and values in front of the text's own (transformers' AttentionInterface).

A prefix is either trained (a module's attribute `prefix`: prefix tuning, Li & Liang 2021) or computed once
for the tokens that all prompts share (a context variable, for the time of one call). Every family that looks
up its attention function by name gets it. Without a prefix, transformers' scaled dot product runs unchanged.
Nothing is added to the sequence, so positions do not shift.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME = "stratune_prefix"
Cache = dict[int, tuple[Tensor, Tensor]]  # id of an attention module -> its keys and values (B, G, T, D)
_recorded: ContextVar[Cache | None] = ContextVar("recorded", default=None)
_prefixes: ContextVar[Prefixes | None] = ContextVar("prefixes", default=None)


def prefixed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **options: Any,
) -> tuple[Tensor, None]:
    """query (B, H, T, D), key and value (B, G, T, D), mask (B, 1, T, T) or None -> (B, T, H, D)."""
    record = _recorded.get()
    if record is not None:
        record[id(module)] = key, value
    computed = _prefixes.get()
    prefix: Any = computed.of.get(id(module)) if computed else None
    bias = options.get("position_bias")  # (1 or B, H, T, T)
    scored = {name: options[name] for name in ("softcap", "s_aux") if options.get(name) is not None}
    on_cpu = query.device.type == "cpu" and value.shape[-1] == query.shape[-1] and not scored and bias is None
    if prefix is not None and on_cpu and not torch.is_grad_enabled():
        return behind_shared(query, key, value, attention_mask, prefix, options.get("scaling")), None
    prefix = prefix or getattr(module, "prefix", None)
    if prefix is not None:
        attention_mask = widened(
            attention_mask, prefix.length, query, causal=getattr(module, "is_causal", False)
        )
        if bias is not None:
            options["position_bias"] = nn.functional.pad(bias, (prefix.length, 0))
        key, value = (
            torch.cat([added.to(own.dtype).expand(own.shape[0], -1, -1, -1), own], dim=2)  # (B, G, P + T, D)
            for added, own in zip(prefix(), (key, value), strict=True)
        )
    if scored:
        return _by_hand(module, query, key, value, attention_mask, options), None
    attended: tuple[Tensor, None] = sdpa_attention_forward(
        module, query, key, value, attention_mask, **options
    )
    return attended


def _by_hand(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> Tensor:
    """Scores that scaled dot product attention has no option for: capped by tanh (Gemma 2), or with one more
    that takes probability and has no value, a sink (gpt-oss).
    """
    repeats = query.shape[1] // key.shape[1]
    key, value = (one.repeat_interleave(repeats, dim=1) for one in (key, value))
    given = options.get("scaling")
    scale = query.shape[-1] ** -0.5 if given is None else given
    scores = query @ key.transpose(2, 3) * scale  # (B, H, T, S)
    if (cap := options.get("softcap")) is not None:
        scores = torch.tanh(scores / cap) * cap
    if mask is None and getattr(module, "is_causal", False):
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()[None, None]
    if mask is not None:
        scores = scores + additive(mask, scores.dtype)
    if (sinks := options.get("s_aux")) is not None:
        column = sinks.to(scores.dtype).view(1, -1, 1, 1).expand(scores.shape[0], -1, scores.shape[2], 1)
        scores = torch.cat([scores, column], dim=-1)
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(query.dtype)[..., : key.shape[2]]
    weights = nn.functional.dropout(weights, options.get("dropout", 0.0), module.training)
    return (weights @ value).transpose(1, 2).contiguous()


def widened(mask: Tensor | None, count: int, query: Tensor, *, causal: bool) -> Tensor | None:
    """The mask with `count` columns in front that every query attends to (True, or 0.0)."""
    if mask is None:
        if not causal:
            return None
        length = query.shape[2]
        mask = torch.ones(length, length, dtype=torch.bool, device=query.device).tril()[None, None]
    attended = mask.new_ones if mask.dtype == torch.bool else mask.new_zeros
    return torch.cat([attended(*mask.shape[:-1], count), mask], dim=-1)


def behind_shared(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, prefix: KeyValues, scale: float | None
) -> Tensor:
    """What `prefixed_attention` gives, without a copy of the shared keys for every row. CPU only.

    Queries of all rows attend to the shared prefix in one matrix product, and each row to its own tokens; the
    two results are combined by their softmax normalisers (Juravsky et al. 2024, "Hydragen").
    """
    attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    # Autocast does not cast this operator's inputs, as it does those of scaled_dot_product_attention.
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else query.dtype
    query, key, value, keys, values = (one.to(dtype) for one in (query, key, value, *prefix()))
    count, heads, length, width = query.shape
    groups = key.shape[1]
    grouped = query.view(count, groups, heads // groups, length, width)
    queries = grouped.permute(1, 2, 0, 3, 4).reshape(1, groups, -1, width)  # (1, G, H / G * B * T, D)
    shared, shared_norm = attend(queries, keys[None], values[None], scale=scale)
    shape = (groups, heads // groups, count, length)
    shared = shared.reshape(*shape, width).permute(2, 0, 1, 3, 4).reshape(query.shape)
    shared_norm = shared_norm.reshape(shape).permute(2, 0, 1, 3).reshape(query.shape[:-1])

    key, value = (one.repeat_interleave(heads // groups, dim=1) for one in (key, value))
    if mask is None:
        mask = torch.ones(length, length, dtype=torch.bool).tril()[None, None]
    own, own_norm = attend(query, key, value, attn_mask=additive(mask, dtype), scale=scale)
    # Normalisers are logsumexp of the scores: the share of the prefix is exp(a) / (exp(a) + exp(b)).
    part = torch.sigmoid(shared_norm - own_norm).unsqueeze(-1).to(own.dtype)  # (B, H, T, 1)
    joined: Tensor = own.lerp(shared, part)
    return joined.transpose(1, 2).contiguous()


def additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where attended, minus infinity elsewhere."""
    if mask.dtype != torch.bool:
        return mask.to(dtype)
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, -torch.inf)


AttentionInterface.register(NAME, prefixed_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


class HasModel(Protocol):
    """A backbone, as far as its attention is concerned."""

    model: PreTrainedModel


def use_prefixes(backbone: HasModel) -> None:
    backbone.model.set_attn_implementation(NAME)


@dataclass(frozen=True)
class KeyValues:
    """Computed keys and values (G, P, D) of P tokens; called like a trained prefix."""

    keys: Tensor
    values: Tensor

    @property
    def length(self) -> int:
        return self.keys.shape[1]

    def __call__(self) -> tuple[Tensor, Tensor]:
        return self.keys, self.values


@dataclass(frozen=True)
class Prefixes:
    """Keys and values of one row of `length` tokens in each attention module, by the module's id."""

    length: int
    of: dict[int, KeyValues]


def prefix_length() -> int:
    """Tokens in front of every row whose keys and values are computed already."""
    computed = _prefixes.get()
    return computed.length if computed else 0


@contextmanager
def after(found: Cache, length: int) -> Iterator[None]:
    """Within the block, every row that this thread runs continues the one row recorded in `found`."""
    prefixes = {module: KeyValues(keys[0], values[0]) for module, (keys, values) in found.items()}
    token = _prefixes.set(Prefixes(length, prefixes))
    try:
        yield
    finally:
        _prefixes.reset(token)


@contextmanager
def recording() -> Iterator[Cache]:
    """Within the block, record keys and values (B, G, T, D) of each attention module, by the module's id."""
    found: Cache = {}
    token = _recorded.set(found)
    try:
        yield found
    finally:
        _recorded.reset(token)
