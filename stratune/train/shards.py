"""Tensors of which every process holds one part (DTensors of torch's FSDP2), beside those that are whole.

A part is a slice of the first dimension: the parts in the order of the processes are the whole.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def is_sharded(tensor: Tensor) -> bool:
    return hasattr(tensor, "to_local")  # not isinstance: importing DTensor takes a while, and few train so


def local(tensor: Any) -> Tensor:
    """What this process holds of a tensor; it shares its memory."""
    found: Tensor = tensor.to_local() if is_sharded(tensor) else tensor
    return found


def part_of(whole: Tensor, like: Any) -> Tensor:
    """The part of a whole tensor that this process holds of `like`."""
    if not is_sharded(like):
        return whole
    mesh = like.device_mesh
    parts = whole.chunk(mesh.size())
    rank = mesh.get_local_rank()
    return parts[rank] if rank < len(parts) else whole[:0]  # fewer rows than processes


def whole_of(part: Tensor, like: Any) -> Tensor:
    """The whole tensor of which each process has a part, as it has one of `like`; on the device of `like`.

    All processes have to call it.
    """
    if not is_sharded(like):
        return part
    found: Tensor = _as(part.to(like.device), like).full_tensor()
    return found


def sharded_as(whole: Tensor, like: Any) -> Tensor:
    """A whole tensor, on the device of `like` and in such parts as it."""
    part = part_of(whole, like).to(like.device, copy=True)
    return _as(part, like) if is_sharded(like) else part


def _as(part: Tensor, like: Any) -> Any:
    from torch.distributed.tensor import DTensor

    placed = like.device_mesh, like.placements
    return DTensor.from_local(part, *placed, run_check=False, shape=like.shape, stride=like.stride())


def give_back(tensor: Tensor) -> None:
    """Its memory, for as long as `fill` has not been called; for whoever shares it, too.

    Memory that holds more than this tensor, or is a mapped file, stays.
    """
    storage = tensor.untyped_storage()
    if storage.resizable() and storage.nbytes() == tensor.nbytes:
        storage.resize_(0)


@torch.no_grad()
def fill(tensor: Tensor, values: Tensor) -> None:
    """With `values`, after `give_back`."""
    storage = tensor.untyped_storage()
    if storage.nbytes() == 0:
        storage.resize_(tensor.nbytes)
    tensor.copy_(values)
