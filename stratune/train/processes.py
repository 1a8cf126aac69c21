"""Distributed training: whether this is one of several processes, what `accelerate launch` told them, and
whether they run on CPUs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stratune.errors import ConfigError

if TYPE_CHECKING:
    import torch

# What `accelerate launch` may ask for that is not done here: its variable, and what to do in its place.
REFUSED = {
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed is not used here: ask for --use_fsdp --fsdp_version 2",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM is not used here: ask for --use_fsdp --fsdp_version 2",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "of its kinds of parallelism only DDP and FSDP2 are used here",
}
REFUSED_OF_FSDP = {
    "FSDP_OFFLOAD_PARAMS": "weights stay on the devices: leave --fsdp_offload_params out",
    "FSDP_ACTIVATION_CHECKPOINTING": "set `train.gradient_checkpointing` for that",
}


def launched() -> bool:
    """Whether `accelerate launch` (or torchrun) started several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def in_parts() -> bool:
    """Whether it was started with --use_fsdp: blocks are to lie in parts on all processes (parallel.py)."""
    return _on("ACCELERATE_USE_FSDP")


def check_launch() -> None:
    """Raises ConfigError where `accelerate launch` was asked for what is not done here.

    Every process is to read weights whole, which transformers must be told: by default accelerate has it
    read them in one process only.
    """
    refused = {**REFUSED, **(REFUSED_OF_FSDP if in_parts() else {})}
    for name, why in refused.items():
        if _on(name):
            raise ConfigError(why, key="accelerate launch")
    if in_parts():
        version = os.environ.get("FSDP_VERSION", "1")
        if version != "2":
            why = f"version {version} of FSDP is not used here: add --fsdp_version 2"
            raise ConfigError(why, key="accelerate launch")
        os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"


def _on(name: str) -> bool:
    return os.environ.get(name, "false").lower() in ("true", "1", "yes")


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

    check_launch()
    device: torch.device = PartialState(cpu=on_cpus()).device
    return device


def meet() -> None:
    """Barrier: wait for all processes."""
    if launched():
        from accelerate import PartialState

        PartialState(cpu=on_cpus()).wait_for_everyone()
