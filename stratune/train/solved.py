"""Heads that are computed from pooled vectors instead of trained by the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

if TYPE_CHECKING:
    from stratune.net.nearest_head import VectorHead
    from stratune.net.net import Net
    from stratune.net.pooled_head import PooledHead

STRENGTHS = (0.01, 0.1, 1.0, 10.0)  # of the penalty on squared weights; vectors have a norm of sqrt(C)
STEPS = 100  # of L-BFGS


@dataclass(frozen=True)
class Part:
    """Vectors (N, C) float32 and truth (N,) or (N, K) of a table part, on the CPU."""

    vectors: Tensor
    truth: Tensor


@dataclass(frozen=True)
class VectorRows:
    """What a head is computed from; `encode`: M texts -> (M, C), read by the same backbone."""

    train: Part
    val: Part
    encode: Callable[[Sequence[str]], Tensor]
    labels: tuple[str, ...] = ()


def fit_head(net: Net, rows: VectorRows) -> None:
    """Fit the head on vectors by L-BFGS on its own objective; validation loss chooses the penalty."""
    head, device = cast("PooledHead", net.head), next(net.parameters()).device
    head.eval()
    parts = ((part.vectors.to(device), part.truth.to(device)) for part in (rows.train, rows.val))
    (x, y), (val_x, val_y) = parts
    start = {name: p.detach().clone() for name, p in head.named_parameters()}
    found: list[tuple[float, dict[str, Tensor]]] = []
    for strength in STRENGTHS:
        set_head(net, {name: t if t.dim() < 2 else torch.zeros_like(t) for name, t in start.items()})
        _minimise(net, head, x, y, strength)
        with torch.no_grad():
            loss = float(net.objective.losses(head.classify(val_x), val_y, None, 0.0).mean())
        found.append((loss, {name: p.detach().clone() for name, p in head.named_parameters()}))
    set_head(net, min(found, key=lambda one: one[0])[1])


def _minimise(net: Net, head: PooledHead, x: Tensor, y: Tensor, strength: float) -> None:
    parameters = list(head.parameters())
    matrices = [p for p in parameters if p.dim() > 1]
    optimizer = torch.optim.LBFGS(parameters, max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = net.objective.losses(head.classify(x), y, None, 0.0).mean()
        loss = loss + strength / 2 * torch.stack([(p**2).sum() for p in matrices]).sum()
        torch.autograd.backward(loss)
        return loss

    with torch.enable_grad():
        optimizer.step(closure)  # type: ignore[no-untyped-call]
    optimizer.zero_grad(set_to_none=True)


def set_head(net: Net, tensors: dict[str, Tensor]) -> None:
    """Give the head these values."""
    with torch.no_grad():
        for name, parameter in net.head.named_parameters():
            parameter.data = tensors[name].to(parameter.device, parameter.dtype, copy=True)


def val_loss(net: Net, rows: VectorRows) -> float:
    """The objective's loss on validation, of the head as it is."""
    device = next(net.parameters()).device
    head = cast("VectorHead", net.head)
    with torch.no_grad():
        logits = head.classify(head.unit(rows.val.vectors.to(device)))
        return float(net.objective.losses(logits, rows.val.truth.to(device), None, 0.0).mean())
