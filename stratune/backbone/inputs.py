"""Inputs of a family's model beside the token ids, made from the attention mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from stratune.backbone.family import Family


def tokens_first(mask: Tensor) -> tuple[Tensor, Tensor]:
    """(B, T) indices that put the tokens of each row before its padding, and those that undo it."""
    order = mask.argsort(dim=1, descending=True, stable=True)
    return order, order.argsort(dim=1)


def model_inputs(family: Family, mask: Tensor, types: Tensor | None) -> dict[str, Any]:
    """`mask` (B, T) has ones where there is a token; `types` (B, T) are segments, None without."""
    inputs: dict[str, Any] = {"attention_mask": mask}
    if types is not None:
        inputs["token_type_ids"] = types
    if "position_ids" in family.inputs:  # passed explicitly, so that left padding does not shift them
        inputs["position_ids"] = (mask.cumsum(dim=1) - 1).clamp(min=0) + family.reserved_positions
    if family.decoder and "use_cache" in family.inputs:
        inputs["use_cache"] = False
    if family.global_first:
        first = (mask.cumsum(dim=1) == 1) & mask.bool()
        inputs["global_attention_mask"] = first.to(mask.dtype)
    return inputs


def taken(rows: Tensor, index: Tensor) -> Tensor:
    """(B, S[, C]), (B, T) -> (B, T[, C])"""
    if rows.dim() == 2:
        return rows.gather(1, index)
    return rows.gather(1, index[..., None].expand(-1, -1, rows.shape[2]))
