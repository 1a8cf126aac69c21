"""NormalFloat in 4 bits: 16 levels that are quantiles of a normal distribution, and one scale for 64 numbers.

Dettmers et al. 2023, "QLoRA: Efficient Finetuning of Quantized LLMs", section 3 and appendix E. bitsandbytes
has the same format and kernels for it; its import takes three seconds of each process in which peft is
imported, and what it saves is little beside the products of a batch (docs/log.md).
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

BLOCK = 64  # numbers with one scale
TAIL = 0.9677083  # probability at the outermost level: mean of 1 - 1/32 and 1 - 1/30 (appendix E)


@functools.cache
def levels() -> Tensor:
    """(16,) rising, from -1 to 1, with an exact zero: seven below it and eight above are quantiles."""
    from scipy.stats import norm

    above, below = norm.ppf(torch.linspace(TAIL, 0.5, 9)[:-1]), norm.ppf(torch.linspace(TAIL, 0.5, 8)[:-1])
    found = torch.tensor([*-below, 0.0, *above[::-1]], dtype=torch.float64)
    return (found / found.max()).float()


def packed(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Any numbers -> bytes (uint8, two numbers each, the first in the high half), and the scales of blocks of
    64 numbers, of which the last is filled up with zeros.
    """
    flat = weight.reshape(-1).float()
    lacking = -len(flat) % BLOCK
    blocks = torch.cat([flat, flat.new_zeros(lacking)]).view(-1, BLOCK)
    scales = blocks.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
    known = levels().to(flat.device)
    codes = torch.bucketize(blocks / scales, (known[1:] + known[:-1]) / 2).to(torch.uint8).view(-1, 2)
    return (codes[:, 0] << 4) | codes[:, 1], scales.view(-1)


def unpacked(given: Tensor, scales: Tensor, out: Tensor) -> Tensor:
    """Writes the numbers of `packed` into `out`, in its shape and dtype, and returns it."""
    pairs = _pairs(out.device, out.dtype)
    found = torch.nn.functional.embedding(given.int(), pairs).view(-1, BLOCK)
    found *= scales.to(out.dtype)[:, None]
    return out.copy_(found.view(-1)[: out.numel()].view(out.shape))


@functools.cache
def _pairs(device: torch.device, dtype: torch.dtype) -> Tensor:
    """(256, 2): the two levels that a byte stands for."""
    with torch.inference_mode(False):  # training uses it, too
        codes = torch.arange(256)
        return levels()[torch.stack([codes >> 4, codes & 15], dim=1)].to(device, dtype)
