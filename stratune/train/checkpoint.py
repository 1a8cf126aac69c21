"""Checkpoint: one safetensors file with trainable tensors, the best ones, optimiser state and progress.

It is one file, so that one rename replaces it atomically, and has a digest: no flipped bit is trained on. It
holds no random state: every random draw is a function of (seed, step, rank).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import xxhash
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from stratune.files import replacing
from stratune.train.shards import local, part_of, sharded_as, whole_of

Tensors = dict[str, Tensor]
LAYOUT = 2  # version of the names in the file; a checkpoint of another version is not resumed


@dataclass
class TrainingState:
    """Progress of training, and its history."""

    step: int = 0  # optimiser steps done, over all epochs
    steps: int = 0  # of a whole training; it may be finished before, when nothing gets better
    examples_seen: int = 0
    train_seconds: float = 0.0
    best_score: float | None = None  # validation metric at the best step; None: undefined there
    best_log_loss: float = float("inf")
    best_step: int = 0
    best_epoch: float = 0.0
    evaluations_since_best: int = 0
    finished: bool = False
    loss_sum: float = 0.0  # since the last evaluation
    loss_rows: int = 0
    loss_scale: float = 0.0  # in float16 (loss_scale.py); 0: not yet
    steps_at_scale: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of a whole training's steps, those that are done."""
        return self.step / self.steps

    @property
    def best(self) -> tuple[float, float]:
        """What the next evaluation has to exceed: score and minus the loss, undefined below every number."""
        return -math.inf if self.best_score is None else self.best_score, -self.best_log_loss


def snapshot(parameters: Mapping[str, Tensor]) -> Tensors:
    """Contiguous copies on the CPU, as safetensors needs them; of tensors in parts, of this process' own."""
    return {
        name: local(p).detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, p in parameters.items()
    }


def restore(parameters: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """`values`: those of a snapshot."""
    with torch.no_grad():
        for name, parameter in parameters.items():
            local(parameter).copy_(values[name])


def save(
    path: Path,
    identity: str,
    position: TrainingState,
    trainable: Mapping[str, Tensor],
    best: Tensors,
    optimizer: torch.optim.Optimizer,
    *,
    writes: bool = True,
) -> None:
    """`identity`: a string for all that the run depends on (settings, data, seed).

    All processes call it, for the file has whole tensors, whatever parts they lie in; one of them `writes`.
    """
    tensors: Tensors = {}

    def put(key: str, part: Tensor, like: Tensor) -> None:
        whole = whole_of(part, like)
        if writes:
            tensors.update(snapshot({key: whole}))

    for name, parameter in trainable.items():
        put(f"learning/{name}", local(parameter), parameter)
        put(f"best/{name}", best[name], parameter)
        for key, value in optimizer.state[parameter].items():
            put(f"optimizer/{key}/{name}", local(value), value)
    if not writes:
        return
    metadata = {"identity": identity, "position": json.dumps(asdict(position))}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata=metadata | {"digest": _digest(tensors, metadata)})


def load(
    path: Path, identity: str, trainable: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> tuple[TrainingState, Tensors] | None:
    """Restore a checkpoint. None when there is none of this run (same `identity`), or it is damaged."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            if metadata.get("identity") != identity:
                return None
            tensors: Tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 (no iterator)
    except (SafetensorError, OSError):
        return None
    if metadata.pop("digest", None) != _digest(tensors, metadata):
        return None
    position = TrainingState(**json.loads(metadata["position"]))
    best: Tensors = {}
    for name, parameter in trainable.items():
        restore({name: parameter}, {name: part_of(tensors[f"learning/{name}"], parameter)})
        best |= snapshot({name: part_of(tensors[f"best/{name}"], parameter)})
    for key, value in tensors.items():
        if key.startswith("optimizer/"):
            _, state, name = key.split("/", 2)
            like = trainable[name]
            if value.dim() > 0:
                value = sharded_as(value, like)
            elif optimizer.defaults["fused"]:  # it reads its counter where it runs
                value = value.to(like.device)
            optimizer.state[like][state] = value
    return position, best


def _digest(tensors: Tensors, metadata: Mapping[str, str]) -> str:
    state = xxhash.xxh3_128(json.dumps(sorted(metadata.items())).encode())
    for name, tensor in sorted(tensors.items()):
        state.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        state.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()
