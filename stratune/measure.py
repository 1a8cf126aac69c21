"""Measuring what a run takes."""

from __future__ import annotations

import sys
from pathlib import Path


class PeakMemory:
    """The most memory used since it was made: of the device on a GPU, else of this process (resident, as
    the kernel counts).
    """

    def __init__(self) -> None:
        import torch

        self._cuda = torch.cuda.is_available()
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
        self._reset = _reset_resident_peak()

    def peak_bytes(self) -> int:
        import torch

        if self._cuda:
            return int(torch.cuda.max_memory_allocated())
        return _resident_peak()


def _reset_resident_peak() -> bool:
    """Linux forgets a process's peak when asked; elsewhere the peak counts from the start of the process."""
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return False
    try:
        clear.write_text("5", encoding="ascii")
    except OSError:  # not allowed in some containers
        return False
    return True


def status_bytes(field: str) -> int | None:
    """VmHWM, RssAnon and the like, of this process; None where the kernel does not say."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    return None


def _resident_peak() -> int:
    if (peak := status_bytes("VmHWM")) is not None:
        return peak
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
