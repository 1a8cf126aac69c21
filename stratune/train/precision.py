"""Precision of the forward pass. Weights, gradients and optimiser state are always float32."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import torch

Precision = Literal["bfloat16", "float16", "float32"]


def resolve(wanted: str, device: torch.device) -> Precision:
    """`auto` is bfloat16 where the hardware multiplies it natively, else float16 on a GPU that does, such as
    V100 and T4, else float32.
    """
    if wanted in ("bfloat16", "float16", "float32"):
        return cast(Precision, wanted)
    if has_bfloat16(device):
        return "bfloat16"
    return "float16" if has_float16(device) else "float32"


def has_float16(device: torch.device) -> bool:
    """Whether products in it are faster: on processors they are not."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 0)


def has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)  # earlier cards emulate it
    if device.type == "cpu":
        return any(flag in _cpu_flags() for flag in ("avx512_bf16", "amx_bf16", "bf16"))
    return device.type == "mps"


def _cpu_flags() -> set[str]:
    """Instruction sets from /proc/cpuinfo (Linux; elsewhere empty, which means float32)."""
    listing = Path("/proc/cpuinfo")
    if not listing.is_file():
        return set()
    for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(("flags", "Features")):
            return set(line.partition(":")[2].split())
    return set()
