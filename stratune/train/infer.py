"""Logits of many rows: sorted by length, batched by token budget, returned in the original order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.net.pooling import pooled
from stratune.tokens.batches import sorted_batches
from stratune.train.memory_plan import by_halves
from stratune.train.runtime import Runtime, autocast
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.net.net import Net
    from stratune.train.feed import Feed


def infer(
    net: Net,
    feed: Feed,
    runtime: Runtime,
    *,
    rank: int = 0,
    world: int = 1,
    progress: Progress = SILENT,
) -> NDArray[np.float32]:
    """(N, K) logits. With `world` > 1 only this rank's rows are filled in; the caller sums over ranks.

    A net whose blocks lie in parts on all processes is run equally often by each.
    """
    net.eval()
    parts: list[tuple[NDArray[np.int64], torch.Tensor]] = []
    batches = sorted_batches(feed.lengths, runtime.micro_batch_tokens)
    own = batches[rank::world]

    def run(some: NDArray[np.int64]) -> torch.Tensor:
        found: torch.Tensor = net(feed.batch(some).to(runtime.device))
        return found

    with torch.inference_mode(), autocast(runtime), net.reading(feed.tokens):
        for rows in own:
            found = [run(rows)] if net.in_parts else by_halves(rows, run)
            parts.append((rows, torch.cat(found)))  # stays on the device: no sync per batch
            progress.rows(len(rows))
        if net.in_parts and len(own) < len(batches[::world]):
            run(batches[-1])  # for the others, who have one batch more
    out = np.zeros((len(feed), net.objective.outputs), dtype=np.float32)
    for rows, logits in parts:
        out[rows] = logits.float().cpu().numpy()
    return out


def vectors(
    net: Net,
    feed: Feed,
    pool: Pool,
    runtime: Runtime,
    progress: Progress = SILENT,
) -> torch.Tensor:
    """(N, C) pooled texts, float32 on the CPU."""

    def vectors_of(rows: NDArray[np.int64]) -> torch.Tensor:
        batch = feed.batch(rows).to(runtime.device)
        return pooled(net.encode(batch), batch.mask, pool).float().cpu()

    net.eval()
    out = torch.zeros(len(feed), net.backbone.width)
    with torch.inference_mode(), autocast(runtime):
        for rows in sorted_batches(feed.lengths, runtime.micro_batch_tokens):
            out[torch.from_numpy(rows)] = torch.cat(by_halves(rows, vectors_of))
            progress.rows(len(rows))
    return out
