"""What a head has to know of the training rows before it is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from stratune.tokens.batches import by_budget
from stratune.train.runtime import Runtime, autocast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stratune.net.net import Net
    from stratune.tokens.batches import Batch
    from stratune.train.feed import Feed

ROWS = 512  # enough for a mean and a spread: their errors are below 5 % of the spread


def prepare_head(net: Net, feed: Feed, runtime: Runtime) -> None:
    """Show the head up to `ROWS` training rows, evenly spread, as the net reads them before training.

    The rows depend on the feed alone, so a resumed run sees the same. A head that asks for no batch costs
    nothing.
    """
    rows = np.unique(np.linspace(0, len(feed) - 1, min(len(feed), ROWS)).round().astype(np.int64))

    def batches() -> Iterator[Batch]:
        for part in by_budget(rows, feed.lengths, runtime.micro_batch_tokens):
            yield feed.batch(part).to(runtime.device)

    net.eval()
    with torch.no_grad(), autocast(runtime):
        net.head.before_training(net, batches())
