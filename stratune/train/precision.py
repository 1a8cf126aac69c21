"""Precision of the forward pass. Weights, gradients and optimiser state are always float32."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

Precision = Literal["bfloat16", "float32"]


def resolve(wanted: str, device: torch.device) -> Precision:
    """`auto` is bfloat16 where the hardware multiplies it natively, else float32."""
    if wanted == "float32" or (wanted == "auto" and not has_bfloat16(device)):
        return "float32"
    return "bfloat16"


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
