"""Several processes that train together: were we started as some, and do they meet on CPUs?"""

from __future__ import annotations

import os


def launched() -> bool:
    """Did `accelerate launch` (or torchrun) start several of us?"""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_main() -> bool:
    """Of several, the one that writes."""
    return os.environ.get("RANK", "0") == "0"


def on_cpus() -> bool:
    """Whether they meet on CPUs (gloo). accelerate must be told: left alone, each would train by itself."""
    if not launched():
        return False
    import torch
    from accelerate.utils import parse_flag_from_env

    return bool(parse_flag_from_env("ACCELERATE_USE_CPU")) or not torch.accelerator.is_available()


def meet() -> None:
    """Wait until all have come this far."""
    if launched():
        from accelerate import PartialState

        PartialState(cpu=on_cpus()).wait_for_everyone()
