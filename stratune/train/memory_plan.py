"""How much of a batch fits into memory: measured on one row before a training, halved once it does not.

A forward pass keeps what the backward pass needs. On one row and on two of it, autograd is asked how many
bytes that is: what a token adds is their difference, and the rest (weights cast to bfloat16) is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.errors import UnsupportedError
from stratune.memory import available_memory
from stratune.train.runtime import Runtime, autocast

if TYPE_CHECKING:
    from stratune.net.net import Net
    from stratune.train.feed import Feed

T = TypeVar("T")

SHARE = 0.5  # of what is free: other programs and other runs want some, too
TEMPORARY = 1.2  # gradients of activations, while a block's are computed
OF_TRAINABLE = 16  # bytes of a trained number: its gradient, AdamW's two moments, its copy at the best step


@dataclass(frozen=True)
class Plan:
    """Tokens of a micro-batch, whether blocks run again in the backward pass, and what the user is told."""

    runtime: Runtime
    recompute: bool = False
    note: str | None = None


def planned(net: Net, feed: Feed, runtime: Runtime) -> Plan:
    """The micro-batches of a training that fit into what is free, by halves of those of `runtime`."""
    lengths = feed.lengths
    row = int(np.argmax(lengths))
    longest, tokens = int(lengths[row]), runtime.micro_batch_tokens
    one, two = (_kept_bytes(net, feed, np.array([row] * count), runtime) for count in (1, 2))
    of_row = max(0, two - one) * TEMPORARY
    fixed = max(0, one - (two - one)) + OF_TRAINABLE * sum(p.numel() for p in net.trainable().values())
    free = SHARE * free_memory(runtime.device) - fixed
    while tokens > longest and of_row * tokens / longest > free:
        tokens = max(longest, tokens // 2)
    if tokens == runtime.micro_batch_tokens:
        return Plan(runtime)
    wanted = of_row * runtime.micro_batch_tokens / longest
    taken = f"{wanted / 1e9:.1f} GB, and {max(0.0, free) / 1e9:.1f} GB are there for it"
    note = f"micro-batches of {tokens:,} tokens: {runtime.micro_batch_tokens:,} would take {taken}"
    recompute = of_row * tokens / longest > free and can_recompute(net)
    if recompute:
        note += "; blocks run again in the backward pass"
    return Plan(replace(runtime, micro_batch_tokens=tokens), recompute, note)


def can_recompute(net: Net) -> bool:
    return not net.recomputes and net.backbone.model.supports_gradient_checkpointing


def _kept_bytes(net: Net, feed: Feed, rows: NDArray[np.int64], runtime: Runtime) -> int:
    """Of what the backward pass would read, beside tensors that are there anyway."""
    there = {tensor.untyped_storage().data_ptr() for tensor in (*net.parameters(), *net.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in there:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    batch = feed.batch(rows).to(runtime.device)
    devices = [runtime.device] if runtime.device.type == "cuda" else []
    net.train()
    counting = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with torch.random.fork_rng(devices=devices), counting, autocast(runtime):
        logits = net(batch)  # noqa: F841  its graph holds what is counted, so that no address comes twice
    return sum(kept.values())


def free_memory(device: torch.device) -> int:
    """Bytes that this process can still take there."""
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return available_memory()


# -- once it did not fit


def did_not_fit(error: BaseException) -> bool:
    """Whether memory was asked for and there was none."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def by_halves(rows: Sequence[Any] | NDArray[Any], run: Callable[[Any], T]) -> list[T]:
    """`run` of all rows, or of ever smaller parts of them, in their order, where memory does not do for more.

    Raises what `run` raises about a single row.
    """
    try:
        return [run(rows)]
    except RuntimeError as error:
        if not did_not_fit(error) or len(rows) < 2:
            raise
    give_back()  # after the block: the error holds what was computed
    middle = len(rows) // 2
    return [*by_halves(rows[:middle], run), *by_halves(rows[middle:], run)]


def give_back() -> None:
    """What torch has kept for later allocations, so that larger ones find room."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def smaller(net: Net, runtime: Runtime, longest: int) -> Runtime:
    """What a step that did not fit is tried again with.

    Its micro-batches are half as large; where they are single rows already, the net's blocks run again in the
    backward pass from now on. Raises UnsupportedError where they do.
    """
    give_back()
    if runtime.micro_batch_tokens > longest:
        return replace(runtime, micro_batch_tokens=max(longest, runtime.micro_batch_tokens // 2))
    if not can_recompute(net):
        why = f"one row of {longest:,} tokens does not fit into memory; read fewer (`train.max_length`)"
        raise UnsupportedError("training", net.backbone.id, why)
    net.recompute()
    return runtime
