"""Dropout and attention for training on CPUs, where torch's own take a third of a step of short texts.

Within `CpuKernels()` this thread's calls of `dropout` and `scaled_dot_product_attention` in
torch.nn.functional are answered here, whichever library makes them. Measured: docs/log.md, 0.19.0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint

from stratune.backbone.casts import Casts, linear, use

STEPS = 1 << 15  # of a probability
FEW = 2048  # words that are drawn before a generator would be made
LOWEST = -(1 << 63)  # of a word
SHORT = 256  # keys


class CpuKernels(TorchFunctionMode):
    """A context, around a forward pass. Tensors of other devices are left to torch.

    `casts`: those of the net, whose products need fewer of them; None: products are torch's own.
    """

    def __init__(self, casts: Casts | None = None) -> None:
        super().__init__()
        self.casts = casts

    def __enter__(self) -> Self:
        self._before = use(self.casts)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        use(self._before)
        if self.casts is not None:
            self.casts.forget_input()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return OURS.get(func, func)(*args, **(kwargs or {}))


def first_and_again() -> tuple[CpuKernels, CpuKernels]:
    """Around a block's first run and its second, in the backward pass, outside of what is around the first:
    `context_fn` of torch.utils.checkpoint. Both have to do the same, so neither shares casts with others.
    """
    return CpuKernels(), CpuKernels()


def run_again(call: Callable[..., Tensor], *given: Any) -> Tensor:
    """`call` of what is given; its activations are computed again in the backward pass (Chen et al. 2016)."""
    return cast(Tensor, checkpoint(call, *given, use_reentrant=False, context_fn=first_and_again))


# -- dropout


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout (Srivastava et al. 2014) from whole words of random bits.

    torch draws a number for each element, in one thread. Here 15 bits decide about an element, four times
    from a word of 64. The share that is dropped is `p` rounded to a multiple of 1/32,768, and what stays is
    scaled by exactly that share, so that its mean is its value.
    """
    cut = round(p * STEPS)
    if not training or not cut:
        return input
    if input.device.type != "cpu" or not input.is_floating_point() or not 0 < cut < STEPS or inplace:
        return functional.dropout(input, p, training, inplace)
    return cast(Tensor, _Dropped.apply(input, cut))  # type: ignore[no-untyped-call]


def drawn(shape: torch.Size, cut: int) -> Tensor:
    """int16: -1 (all bits) for what stays, 0 for what is dropped, with a probability of cut / STEPS.

    numpy draws words nearly twice as fast as torch, from a seed that is torch's: a training that goes on
    draws the same, and a block that runs again.
    """
    count = shape.numel()
    words = (count + 3) // 4
    if words < FEW:
        bits = torch.empty(words, dtype=torch.int64).random_(LOWEST, None)
    else:
        generator = np.random.Generator(np.random.SFC64(int(torch.empty((), dtype=torch.int64).random_())))
        drawn = generator.integers(0, 2**64 - 1, dtype=np.uint64, endpoint=True, size=words)
        bits = torch.from_numpy(drawn.view(np.int64))
    # 0 to STEPS - 1, one of which in `cut` is below 0 after this, and all its bits are its sign's after that.
    numbers = bits.view(torch.int16)[:count].view(shape).bitwise_and_(STEPS - 1)
    return numbers.neg_().add_(cut - 1).__irshift__(15)


def kept(x: Tensor, mask: Tensor) -> Tensor:
    """`x` where `mask` (int16, as `drawn`) has all its bits, 0 elsewhere."""
    if x.element_size() == 2:  # a product would be made in float32
        return x.view(torch.int16).bitwise_and(mask).view(x.dtype)
    return (x * mask).neg_()


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cut: int) -> Tensor:
        mask = drawn(x.shape, cut)
        ctx.save_for_backward(mask)
        ctx.scale = STEPS / (STEPS - cut)
        return kept(x, mask).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return kept(gradients[0], mask).mul_(ctx.scale), None


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
    weights = scores.softmax(dim=-1)  # in float32 under autocast; narrow before anything is dropped
    return dropout(weights.to(value.dtype), dropout_p) @ value


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
    functional.linear: linear,
}
