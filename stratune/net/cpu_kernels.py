"""Dropout and attention for training on CPUs, where torch's own take a third of a step of short texts.

Within `CpuKernels()` this thread's calls of `dropout` and `scaled_dot_product_attention` in
torch.nn.functional are answered here, whichever library makes them. Measured: docs/log.md, 0.19.0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint

STEPS = 1 << 16  # of a probability
LOWEST = -(1 << 63)  # of a word
SHORT = 256  # keys


class CpuKernels(TorchFunctionMode):
    """A context, around a forward pass in training. Tensors of other devices are left to torch."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return OURS.get(func, func)(*args, **(kwargs or {}))


def first_and_again() -> tuple[CpuKernels, CpuKernels]:
    """Around a block's first run and its second, in the backward pass, outside of what is around the first:
    `context_fn` of torch.utils.checkpoint. Both have to do the same.
    """
    return CpuKernels(), CpuKernels()


def run_again(call: Callable[..., Tensor], *given: Any) -> Tensor:
    """`call` of what is given; its activations are computed again in the backward pass (Chen et al. 2016)."""
    return cast(Tensor, checkpoint(call, *given, use_reentrant=False, context_fn=first_and_again))


# -- dropout


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout (Srivastava et al. 2014) from whole words of random bits.

    torch draws a number for each element, in one thread. Here 16 bits decide about an element, four of them
    from a word of 64. The share that is dropped is `p` rounded to a multiple of 1/65,536, and what stays is
    scaled by exactly that share, so that its mean is its value.
    """
    cut = round(p * STEPS)
    if not training or not cut:
        return input
    if input.device.type != "cpu" or not input.is_floating_point() or not 0 < cut < STEPS or inplace:
        return functional.dropout(input, p, training, inplace)
    return cast(Tensor, _Dropped.apply(input, cut))  # type: ignore[no-untyped-call]


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cut: int) -> Tensor:
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(LOWEST, None)
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        kept = (bits >= cut - STEPS // 2).view(torch.uint8)  # torch multiplies by it faster than by a bool
        ctx.save_for_backward(kept)
        ctx.scale = STEPS / (STEPS - cut)
        return (x * kept).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return (gradients[0] * kept).mul_(ctx.scale), None


# -- attention


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Scaled dot product attention: query (B, H, T, D), key (B, G, S, D), value (B, G, S, E) -> (B, H, T, E).

    With dropout torch multiplies as here and draws slowly; without, the backward pass of its flash attention
    takes 3 to 6 times as long for bfloat16 and up to `SHORT` keys. Everything else is left to it.
    """
    if not _is_faster(query, key, dropout_p):
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    if (repeats := query.shape[1] // key.shape[1]) > 1:
        key, value = (one.repeat_interleave(repeats, dim=1) for one in (key, value))
    scores = _scores(query, key, query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None:
        scores = scores + _additive(attn_mask, scores.dtype)
    return dropout(scores.softmax(dim=-1), dropout_p) @ value


def _is_faster(query: Tensor, key: Tensor, dropped: float) -> bool:
    if query.device.type != "cpu" or query.dim() != 4 or not torch.is_grad_enabled():
        return False
    narrow = query.dtype == torch.bfloat16 or torch.is_autocast_enabled("cpu")
    return bool(dropped) or (narrow and key.shape[2] <= SHORT)


def _scores(query: Tensor, key: Tensor, scale: float) -> Tensor:
    """(B, H, T, S): query times key, scaled inside the product."""
    count, heads, length, width = query.shape
    queries, keys = query.reshape(-1, length, width), key.reshape(-1, key.shape[2], width)
    found = torch.baddbmm(queries.new_zeros(()), queries, keys.transpose(1, 2), beta=0, alpha=scale)
    return found.view(count, heads, length, -1)


def _additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where attended, the lowest number elsewhere: padding that attends to nothing stays finite."""
    lowest = torch.finfo(dtype).min
    if mask.dtype != torch.bool:
        return mask.to(dtype).clamp(min=lowest)  # some families write minus infinity
    return torch.zeros(mask.shape, dtype=dtype).masked_fill_(mask.logical_not(), lowest)


OURS: dict[Callable[..., Any], Callable[..., Any]] = {
    functional.dropout: dropout,
    functional.scaled_dot_product_attention: attention,
}
