"""The module of a bottleneck adapter (Houlsby et al. 2019)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# Houlsby et al. (2019), 2.1: near zero, so that step 0 is nearly the pretrained model; truncated at 2 std.
START_STD = 1e-2


class Bottleneck(nn.Module):
    """y + up(gelu(down(y))), where y is the output (..., width) of a frozen layer.

    Of a mixture of experts that gives its router's scores, too, they pass through.
    """

    def __init__(self, base_layer: nn.Module, width: int, inner: int) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.down = nn.Linear(width, inner)
        self.up = nn.Linear(inner, width)
        for layer in (self.down, self.up):
            nn.init.trunc_normal_(layer.weight, std=START_STD, a=-2 * START_STD, b=2 * START_STD)
            nn.init.zeros_(layer.bias)

    @property
    def weight(self) -> Tensor:
        """Of the frozen layer: T5 looks at its type, Zamba 2 at its bias."""
        return self.base_layer.weight  # type: ignore[return-value]

    @property
    def bias(self) -> Tensor | None:
        return self.base_layer.bias  # type: ignore[return-value]

    def forward(self, x: Tensor) -> Tensor | tuple[Any, ...]:
        given = self.base_layer(x)
        y, *rest = given if isinstance(given, tuple) else (given,)
        adapted: Tensor = y + self.up(torch.nn.functional.gelu(self.down(y)))
        return (adapted, *rest) if rest else adapted
