"""What a result was made with: versions, the machine, the date."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from stratune.cores import usable_cores

__version__ = "0.23.0"

PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "scikit-learn", "numpy")


def now() -> str:
    """The date and time in UTC: 2026-11-26T20:28:29Z"""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def machine() -> dict[str, str]:
    """Operating system, processor, its cores that this process may use, and the GPU if torch sees one."""
    import platform

    import torch

    cores = str(usable_cores())
    found = {"system": platform.platform(), "processor": _processor(), "cores": cores}
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _processor() -> str:
    """Linux alone tells its name in a file; elsewhere the architecture."""
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def versions() -> dict[str, str]:
    import platform
    from importlib.metadata import PackageNotFoundError, version  # slow to load, and --help needs it not

    found = {"stratune": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # an optional one
            continue
    return found
