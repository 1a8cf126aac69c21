"""Gradients of embedding tables: a step touches few of their rows, and the rest of the gradient is zero.

torch fills a table of zeros for each backward pass. Here the backward pass gives the rows that it touched
(`nn.Embedding.sparse`), and they are put into one table of zeros that is kept and cleaned up after the step.
The optimiser sees the same numbers, so that moments and weight decay are those of a whole gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from stratune.net.net import Net

LARGE = 1 << 20  # numbers of a table; position embeddings are not worth it


class Tables:
    """Within the block, large embedding tables of `net` that are trained have sparse gradients.

    For one process on a CPU: DDP adds up whole gradients, and GPUs fill zeros faster than they sort.
    """

    def __init__(self, net: Net, alone: bool) -> None:
        self.modules = [
            one
            for one in {*net.modules(), *net.backbone.whole.modules()}
            if alone
            and type(one) is nn.Embedding
            and one.weight.requires_grad
            and not one.sparse
            and one.max_norm is None
            and one.weight.numel() >= LARGE
            and one.weight.device.type == "cpu"
        ]
        self.zeros: dict[Tensor, Tensor] = {}
        self.touched: dict[Tensor, Tensor] = {}

    def __enter__(self) -> Self:
        for module in self.modules:
            module.sparse = True
        return self

    def __exit__(self, *_: object) -> None:
        for module in self.modules:
            module.sparse = False
        self.zeros.clear()

    def parts(self, parameters: list[nn.Parameter]) -> list[Tensor]:
        """The gradients; of a sparse one the rows that were touched, without the zeros."""
        found = []
        for one in parameters:
            if one.grad is not None and one.grad.is_sparse:
                one.grad = one.grad.coalesce()
                found.append(one.grad.values())
            elif one.grad is not None:
                found.append(one.grad)
        return found

    def fill(self) -> None:
        """Sparse gradients become whole ones."""
        for module in self.modules:
            table = module.weight
            if table.grad is None or not table.grad.is_sparse:
                continue  # another module reads the table, too, and has made it whole (tied output weights)
            rows, values = table.grad.indices()[0], table.grad.values()
            if table not in self.zeros:
                self.zeros[table] = torch.zeros_like(table)
            whole = self.zeros[table]
            whole[rows] = values
            table.grad, self.touched[table] = whole, rows

    def clean(self) -> None:
        """Zeros again where the step has touched them."""
        for table, rows in self.touched.items():
            self.zeros[table][rows] = 0.0
        self.touched.clear()
