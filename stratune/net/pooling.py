"""Pooling by mask, never by position: padding side and batch size change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from stratune.backbone.family import Pool


def pooled(hidden: Tensor, mask: Tensor, pool: Pool) -> Tensor:
    """(B, T, C), (B, T) -> (B, C) in float32: first, last or mean of the tokens that the mask keeps."""
    if pool == "mean":
        weight = mask.to(torch.float32)
        weight = weight / weight.sum(dim=1, keepdim=True)  # (B, T)
        return torch.einsum("btc,bt->bc", hidden.float(), weight)
    positions = torch.arange(mask.shape[1], device=mask.device)
    kept = mask.bool()
    if pool == "first":
        at = torch.where(kept, positions, mask.shape[1]).argmin(dim=1)
    else:
        at = torch.where(kept, positions, -1).argmax(dim=1)
    return hidden[torch.arange(hidden.shape[0], device=hidden.device), at].float()
