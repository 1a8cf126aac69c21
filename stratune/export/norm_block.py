"""One more block that computes LayerNorm(pooled text) at the first position, for post-norm families.

A post-norm block is `y = N1(x + Attention(x)); z = N2(y + FeedForward(y))`. With the queries and keys zero,
attention is the mean over the unmasked positions; with a feed-forward layer of zeros, z = N2(N1(x + mean)).

Two obstacles, which scales remove exactly:
- the residual x must vanish beside the mean: the mean is taken GAIN times as large;
- two norms one after another, with the family's eps (1e-12 in BERT), must be one norm with ours. With a the
  scale of what N1 gets and w its weight, and p the pooled text of variance v,

      N2(N1(a p)) = weight2 (p - mean p) / sqrt(v (1 + r) + r e)    where r = eps2 / w**2, e = eps1 / a**2.

  r = 1, e = 2 eps and weight2 = sqrt(2) make that (p - mean p) / sqrt(v + eps).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from stratune.backbone.family import Family
    from stratune.net.pooled_head import PooledHead

GAIN = 2.0**24  # float32 rounds away what is this much smaller; a power of two costs no rounding itself


@torch.no_grad()
def write_norm_block(model: nn.Module, family: Family, head: PooledHead) -> None:
    """Fill the last block of the bare `model`, and scale the output norm of the one before it."""
    assert head.norm is not None
    gain = GAIN if head.pool == "mean" else 1.0
    *_, before, block = model.get_submodule(family.blocks).children()
    for parameter in block.parameters():
        parameter.zero_()
    if head.pool == "mean":
        nn.init.eye_(_at(block, family.linears["v"]).weight)
        nn.init.eye_(_at(block, family.linears["o"]).weight).mul_(gain)
    attention, output = (_at(block, family.norms[role]) for role in ("attention", "output"))
    attention.weight.fill_(output.eps**0.5)
    output.weight.fill_(2.0**0.5)
    scale = (attention.eps / (2.0 * head.norm.eps)) ** 0.5 / gain
    for parameter in _at(before, family.norms["output"]).parameters():
        parameter.mul_(scale)


def _at(block: nn.Module, path: str) -> Any:
    return block.get_submodule(path)
