"""Distributed training: whether this is one of several processes, and whether they run on CPUs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def launched() -> bool:
    """Whether `accelerate launch` (or torchrun) started several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_main() -> bool:
    """Whether this is the process that writes files."""
    return os.environ.get("RANK", "0") == "0"


def on_cpus() -> bool:
    """Whether they run on CPUs (gloo). Without being told so, accelerate would train each on its own."""
    if not launched():
        return False
    import torch
    from accelerate.utils import parse_flag_from_env

    return bool(parse_flag_from_env("ACCELERATE_USE_CPU")) or not torch.accelerator.is_available()


def device_here() -> torch.device:
    """That this process trains on, as accelerate chooses it."""
    from accelerate import PartialState

    device: torch.device = PartialState(cpu=on_cpus()).device
    return device


def meet() -> None:
    """Barrier: wait for all processes."""
    if launched():
        from accelerate import PartialState

        PartialState(cpu=on_cpus()).wait_for_everyone()
