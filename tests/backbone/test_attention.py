"""Tokens that were read before stand in front of every row's own, without a copy of them for every row."""

import pytest
import torch
from torch import nn

from stratune.backbone.attention import KeyValues, prefixed_attention

ROWS, HEADS, LENGTH, WIDTH, READ = 3, 6, 5, 8, 40


class Attention(nn.Module):
    is_causal = True


def tree(rows):
    """Causal, but for one row that does not see its first token (padding)."""
    seen = torch.ones(rows, 1, LENGTH, LENGTH, dtype=torch.bool).tril()
    seen[0, 0, 1:, 0] = False
    return seen


@pytest.mark.parametrize("groups", [6, 2, 1])
@pytest.mark.parametrize("mask", ["none", "bool", "added"])
@pytest.mark.parametrize("cast", [False, True])
@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-6), (torch.bfloat16, 3e-2)])
def test_reading_once_is_as_good_as_reading_in_every_row(groups, mask, dtype, near, cast):
    draw = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(*shape, generator=draw).to(dtype)

    module = Attention()
    module.num_key_value_groups = HEADS // groups
    module.prefix = KeyValues(3 * random(groups, READ, WIDTH), random(groups, READ, WIDTH))
    query = random(ROWS, HEADS, LENGTH, WIDTH)
    key, value = random(ROWS, groups, LENGTH, WIDTH), random(ROWS, groups, LENGTH, WIDTH)
    seen = None if mask == "none" else tree(ROWS)
    if mask == "added":
        seen = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, -torch.inf)
    with torch.autocast("cpu", enabled=cast):
        in_every_row, _ = prefixed_attention(module, query, key, value, seen, scaling=0.3)
        with torch.no_grad():  # rotary tables in float32 leave queries and values of two types
            found, _ = prefixed_attention(
                module, query.float() if cast else query, key, value, seen, scaling=0.3
            )
    assert found.shape == (ROWS, LENGTH, HEADS, WIDTH)
    assert found.dtype == (torch.bfloat16 if cast else dtype)
    torch.testing.assert_close(found, in_every_row, atol=3e-2 if cast else near, rtol=0)
