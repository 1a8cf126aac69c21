"""A linear layer and its LoRA update as one step: y += scaling * drop(x) A^T B^T (Hu et al. 2021).

peft casts x to float32, draws for each element, and writes the product of B, its multiple and the sum one
after another. Here x stays in the format of the product, dropout is drawn from whole words, scaling and sum
are part of the last product, and the backward pass needs three small products. peft still makes, merges and
saves the layers; those of its methods that compute something else keep its own forward pass.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn

from stratune.backbone.casts import narrowed
from stratune.net.cpu_kernels import STEPS, drawn, kept


def fuse(model: nn.Module) -> None:
    """Change peft's LoRA layers in `model` in place, where what they compute is plain LoRA."""
    for module in model.modules():
        if _is_plain(module):
            module.__class__ = _fused()


def _is_plain(module: Any) -> bool:
    from peft.tuners.lora.layer import Linear

    return (
        type(module) is Linear
        and not module.lora_variant
        and not module.lora_bias.get("default")
        and list(module.lora_A) == ["default"]
    )


@cache
def _fused() -> type[nn.Module]:
    from peft.tuners.lora.layer import Linear

    class FusedLinear(Linear):  # type: ignore[misc]
        def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            others = args or kwargs or self.disable_adapters or self.merged
            if others or self.active_adapters != ["default"]:
                return cast(Tensor, super().forward(x, *args, **kwargs))
            result = self.base_layer(x)
            low, high = self.lora_A["default"].weight, self.lora_B["default"].weight
            dropped = getattr(self.lora_dropout["default"], "p", 0.0) if self.training else 0.0
            x = narrowed(x, result.dtype)
            scaling = self.scaling["default"]
            return cast(Tensor, _Updated.apply(result, x, low, high, scaling, dropped))  # type: ignore[no-untyped-call]

    return FusedLinear


class _Updated(torch.autograd.Function):
    """(result (..., out), x (..., in), A (r, in), B (out, r)) -> result, changed in place."""

    @staticmethod
    def forward(
        ctx: Any, result: Tensor, x: Tensor, low: Tensor, high: Tensor, scaling: float, dropped: float
    ) -> Tensor:
        dtype = result.dtype
        ctx.stays, ctx.scale = None, scaling
        if dropped:
            x, ctx.stays, share = thinned(x, dropped)
            ctx.scale = scaling / share
        x = x.reshape(-1, x.shape[-1])
        low, high = low.to(dtype), high.to(dtype)
        inner = x @ low.T
        result.view(-1, result.shape[-1]).addmm_(inner, high.T, alpha=ctx.scale)
        ctx.save_for_backward(x, inner, low, high)
        ctx.mark_dirty(result)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, inner, low, high = ctx.saved_tensors
        (whole,) = gradients
        gradient = whole.reshape(-1, whole.shape[-1])
        behind = (gradient @ high).mul_(ctx.scale)  # (N, r)
        of_low, of_high = behind.T @ x, (gradient.T @ inner).mul_(ctx.scale)
        of_x = None
        if ctx.needs_input_grad[1]:
            of_x = (behind @ low).view(*whole.shape[:-1], -1)
            if ctx.stays is not None:
                of_x = kept(of_x, ctx.stays) if ctx.stays.dtype == torch.int16 else of_x * ctx.stays
        return whole, of_x, of_low.float(), of_high.float(), None, None


def thinned(x: Tensor, dropped: float) -> tuple[Tensor, Tensor, float]:
    """(x with elements set to 0, which ones stay, the share that stays)."""
    if x.device.type != "cpu":
        stays = torch.rand(x.shape, device=x.device) >= dropped
        return x * stays, stays, 1 - dropped
    cut = min(max(round(dropped * STEPS), 1), STEPS - 1)
    mask = drawn(x.shape, cut)
    return kept(x, mask), mask, (STEPS - cut) / STEPS
