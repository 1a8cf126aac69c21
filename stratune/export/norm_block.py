"""One more block that computes LayerNorm(pooled text) at the first position, for post-norm families.

A post-norm block is `y = N1(x + Attention(x)); z = N2(y + FeedForward(y))`. With the queries and keys zero,
attention is the mean over the unmasked positions; with a feed-forward layer of zeros, z = N2(N1(x + mean)).
Two obstacles: the residual x must vanish beside the mean, so the mean p is taken GAIN times as large; and the
norms have the family's eps (1e-12 in BERT), which is not ours. Two sets of numbers do both.

`Numbers.PLAIN`, for a mean: every number has a size that float16 and int8 hold. What N1 gets is so large
that its own eps is nothing, and ours comes in as a length: with d of length 1, orthogonal to ones and to the
rows of the head, the variance of p + sqrt(C eps) d is that of p plus eps, for a p that has nothing in d. None
has nothing there, but mostly there is a d with 1e-5 of its square (spare.py), which is taken out. N2 then
finds variance 1.

`Numbers.SMALL`, exact whatever the texts: so small that the norms' own eps are felt. With a the scale of what
N1 gets and w its weight, and v the variance of p,

    N2(N1(a p)) = weight2 (p - mean p) / sqrt(v (1 + r) + r e)    where r = eps2 / w**2, e = eps1 / a**2.

e = eps (1 + r) / r and weight2 = sqrt(1 + r) make that ours; r = sqrt(eps) makes a and w alike. A first token
needs no gain, so float16 still holds these (1.8e-5 in BERT). A mean does, and its x is then about 1e-12.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from stratune.backbone.derive import blocks_of
from stratune.export.native import block_norms
from stratune.export.spare import spare_direction, states_before_last_block
from stratune.net.pooled_head import PooledHead

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.net.net import Net


class Numbers(Enum):
    PLAIN = "plain"
    SMALL = "small"


# The mean beside the residual, half of it in each of two matrices; powers of two cost no rounding themselves.
GAIN = {Numbers.PLAIN: 2.0**20, Numbers.SMALL: 2.0**24}
# The largest hidden state, scaled; GAIN times it is half of float16's largest.
LARGEST = 2.0**-5


def numbers_for(net: Net) -> tuple[Numbers, ...]:
    """What the block of `net` can be, best first; the last one serves every text."""
    head = net.head
    if not (isinstance(head, PooledHead) and block_norms(net.backbone) and head.norm is not None):
        return (Numbers.PLAIN,)  # there is no block
    room = head.linear.in_features - 1 - head.linear.out_features
    if head.pool == "mean" and room > 0:
        return (Numbers.PLAIN, Numbers.SMALL)
    return (Numbers.SMALL,)


@torch.no_grad()
def write_norm_block(model: nn.Module, backbone: Backbone, head: PooledHead, numbers: Numbers) -> Numbers:
    """Fill the last block of the bare `model`, and scale the output norm of the one before it.

    Returns the numbers it has: SMALL where no direction is spare.
    """
    assert head.norm is not None
    family, eps = backbone.family, head.norm.eps
    *_, before, block = blocks_of(model, family)
    norms = block_norms(backbone)
    last = _at(before, norms["output"])
    attention, output = (_at(block, norms[role]) for role in ("attention", "output"))
    value, out = (_at(block, family.linears[role]) for role in ("v", "o"))
    for parameter in block.parameters():
        parameter.zero_()
    spare = None
    if numbers is Numbers.PLAIN:
        states = states_before_last_block(model, backbone.max_length)
        spare = spare_direction(states, head.linear.weight.detach().float().cpu())
    numbers = Numbers.SMALL if spare is None else Numbers.PLAIN
    gain = GAIN[numbers] if head.pool == "mean" else 1.0
    if head.pool == "mean":
        nn.init.eye_(value.weight).mul_(gain**0.5)
        nn.init.eye_(out.weight).mul_(gain**0.5)
    if spare is not None:
        scale = 2.0 ** math.floor(math.log2(LARGEST / float(states.abs().max())))
        out.weight.sub_(gain**0.5 * torch.outer(spare, spare))
        out.bias.copy_(scale * gain * (len(spare) * eps) ** 0.5 * spare)
        attention.weight.fill_(1.0)
        output.weight.fill_((1.0 + output.eps) ** 0.5)
    else:
        ratio = eps**0.5
        scale = (attention.eps * ratio / (eps * (1.0 + ratio))) ** 0.5 / gain
        attention.weight.fill_((output.eps / ratio) ** 0.5)
        output.weight.fill_((1.0 + ratio) ** 0.5)
    for parameter in last.parameters():
        parameter.mul_(scale)
    return numbers


def _at(block: nn.Module, path: str) -> Any:
    return block.get_submodule(path)
