"""How the weights of a backbone are held in memory: in float32, bfloat16, int8 or nf4.

What they compute stays as it was: in float32, or in bfloat16 under autocast. A matrix that is held in another
format is unpacked for the time of its product, and again for that of the backward pass, so that only one
layer at a time is there in full. Vectors (biases, norms) stay float32, and so do matrices that a model's own
code reads by itself. int8: one scale for each output (Dettmers et al. 2022, without its activations); nf4:
the 16 quantiles of a normal distribution, one scale for 64 numbers (Dettmers et al. 2023, QLoRA).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stratune.backbone import nf4
from stratune.backbone.family import PACKED, Held

MOST_UNPACKED = 2**24  # numbers of a matrix that are unpacked at once: 64 MiB in float32


def hold(model: Any, blocks: Sequence[nn.Module], how: Held, device: torch.device | str = "cpu") -> None:
    """Change `model` in place, to be on `device`: matrices of its `blocks` as `how` says, those of its
    vocabulary in bfloat16, the rest in float32.
    """
    inside = {id(module) for block in blocks for module in block.modules()}
    words = model.get_input_embeddings()
    owners: dict[int, list[tuple[nn.Module, str]]] = {}
    for module in model.modules():
        for name, weight in module.named_parameters(recurse=False):
            owners.setdefault(id(weight), []).append((module, name))
    for named in owners.values():
        modules = [module for module, _ in named]
        parameter: Any = getattr(*named[0])
        holds = all(name == "weight" and (_is_linear(m) or m is words and _is_words(m)) for m, name in named)
        if not holds:
            parameter.data = parameter.data.to(device, torch.float32)
            continue
        within = all(id(module) in inside for module in modules)
        packed = how if within and how in PACKED and len(modules) == 1 else "bfloat16"
        _pack(modules, parameter, packed, device)
    model.to(device)


def is_packed(parameter: Tensor) -> bool:
    """Whether it holds what no gradient can be of."""
    return not parameter.is_floating_point()


def is_held(module: nn.Module) -> bool:
    """Whether its weight is held in another format than it computes in."""
    return "held" in vars(module)


def numbers_in(module: nn.Module) -> int:
    """How many weights a module has, however they are held."""
    held: list[Any] = [one for one in module.modules() if is_held(one)]
    packed = {id(one.weight): one.shape.numel() for one in held}
    return sum(packed.get(id(p), p.numel()) for p in module.parameters())


def released(model: Any) -> Any:
    """The model, whose matrices are in bfloat16 at least, with all of them in float32 again, in place."""
    for parameter in model.parameters():
        parameter.data = parameter.data.float()
    return model


# -- modules


class _Words(nn.Module):
    """Before nn.Embedding: its rows in float32."""

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = super().forward(ids)
        return found.float()


class _Product(nn.Module):
    """Before nn.Linear, or transformers' Conv1D, which has its matrix transposed."""

    held: Held
    transposed: bool
    shape: torch.Size
    weight: Any
    bias: Any
    scales: Tensor

    def forward(self, x: Tensor) -> Tensor:
        dtype = _computed_in(x)
        if self.weight.dtype in (dtype, torch.float32):  # float32: it is being trained, or always was
            found: Tensor = super().forward(x)
            return found
        y: Tensor = _Unpacked.apply(x.to(dtype), self)  # type: ignore[no-untyped-call]
        return y if self.bias is None else y + self.bias.to(dtype)

    def matrix(self, dtype: torch.dtype, rows: slice = slice(None)) -> Tensor:
        """The weight as its class has it: (out, in), or (in, out) where it is transposed; or some rows."""
        if self.held == "nf4":
            return nf4.unpacked(self.weight, self.scales, _room(self.shape, self.weight.device, dtype))[rows]
        packed = self.weight.view(torch.int8).view(self.shape) if self.held == "int8" else self.weight
        part = _room(packed[rows].shape, packed.device, dtype).copy_(packed[rows])
        if self.held == "int8":
            part *= self.scales if self.transposed else self.scales[rows]
        return part

    def parts(self) -> list[slice]:
        """Rows that are unpacked at once: all, but where those of a vocabulary would take too much memory."""
        step = max(1, MOST_UNPACKED // self.shape[1])
        if self.held == "nf4":
            step = self.shape[0]
        return [slice(first, first + step) for first in range(0, self.shape[0], step)]


class _Unpacked(torch.autograd.Function):
    """x W^T (or x W), of which the unpacked W is not kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: _Product) -> Tensor:
        ctx.layer = layer
        return _summed(x, layer) if layer.transposed else _joined(x, layer)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        layer = ctx.layer
        return (_joined if layer.transposed else _summed)(gradient, layer), None


def _joined(x: Tensor, layer: _Product) -> Tensor:
    """(..., columns) x M^T -> (..., rows) of the layer's matrix M."""
    parts = [x @ layer.matrix(x.dtype, rows).T for rows in layer.parts()]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)


def _summed(x: Tensor, layer: _Product) -> Tensor:
    """(..., rows) x M -> (..., columns)."""
    first, *more = (x[..., rows] @ layer.matrix(x.dtype, rows) for rows in layer.parts())
    return sum(more, start=first)


class _Scratch(threading.local):
    """Of each thread, memory for the matrix that is unpacked now: what is allocated anew for each product, in
    between small things that live on, makes the heap grow by every one (memory.py).
    """

    def __init__(self) -> None:
        self.by_dtype: dict[torch.dtype, Tensor] = {}


_scratch = _Scratch()


def _room(shape: torch.Size, device: torch.device, dtype: torch.dtype) -> Tensor:
    if device.type != "cpu":
        return torch.empty(shape, device=device, dtype=dtype)
    count = shape.numel()
    found = _scratch.by_dtype.get(dtype)
    if found is None or found.numel() < count:
        with torch.inference_mode(False):  # training uses it, too
            found = _scratch.by_dtype[dtype] = torch.empty(count, dtype=dtype)
    return found[:count].view(shape)


def _computed_in(x: Tensor) -> torch.dtype:
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _is_words(module: nn.Module) -> bool:
    return type(module) is nn.Embedding


def _is_linear(module: nn.Module) -> bool:
    from transformers.pytorch_utils import Conv1D

    return type(module) in (nn.Linear, Conv1D)


@functools.cache
def _holding(cls: Any) -> type[nn.Module]:
    # Others look up some classes by name, so the name stays.
    first = _Words if issubclass(cls, nn.Embedding) else _Product
    return type(cls.__name__, (first, cls), {"__module__": cls.__module__})


def _pack(modules: Sequence[Any], parameter: nn.Parameter, how: Held, device: torch.device | str) -> None:
    whole = parameter.data
    transposed = not isinstance(modules[0], (nn.Linear, nn.Embedding))
    buffers: dict[str, Tensor] = {}
    if how == "int8":
        whole = whole.to(device, torch.float32)
        largest = whole.abs().amax(dim=int(not transposed), keepdim=True)
        scales = largest.clamp(min=torch.finfo(torch.float32).tiny) / 127
        held = (whole / scales).round().to(torch.int8)
        buffers["scales"] = scales
    elif how == "nf4":
        held, buffers["scales"] = nf4.packed(whole.to(device))
    else:
        held = whole.to(device, torch.bfloat16)
    if how in PACKED:
        # One row of bytes: code that takes it for a matrix fails, and does not go on with other numbers.
        held = held.reshape(-1).view(torch.uint8)
        parameter.requires_grad_(False)
    for module in modules:
        cls: Any = type(module)
        module.__class__ = _holding(cls)
        module.held, module.transposed = how, transposed
        module.shape = whole.shape
        for name, buffer in buffers.items():
            module.register_buffer(name, buffer, persistent=True)
    parameter.data = held
