"""The module of a bottleneck adapter (Houlsby et al. 2019)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Houlsby et al. (2019), 2.1: near zero, so that step 0 is nearly the pretrained model; truncated at 2 std.
START_STD = 1e-2


class Bottleneck(nn.Module):
    """y + up(gelu(down(y))), where y is the output (..., width) of a frozen linear layer."""

    def __init__(self, base_layer: nn.Module, width: int, inner: int) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.down = nn.Linear(width, inner)
        self.up = nn.Linear(inner, width)
        for layer in (self.down, self.up):
            nn.init.trunc_normal_(layer.weight, std=START_STD, a=-2 * START_STD, b=2 * START_STD)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.base_layer(x)
        added: Tensor = self.up(torch.nn.functional.gelu(self.down(y)))
        return y + added
