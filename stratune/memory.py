"""What a run takes of memory, and what is given back: below torch, for texts of many lengths, too."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from pathlib import Path

from stratune.cores import CGROUP


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


def available_memory() -> int:
    """Bytes that this process can still take: of the machine, and of the container that it is in."""
    import psutil

    free = [int(psutil.virtual_memory().available)]
    most = CGROUP / "memory.max"
    limit = most.read_text(encoding="ascii").strip() if most.is_file() else "max"
    if limit != "max":
        used = int((CGROUP / "memory.current").read_text(encoding="ascii"))
        lines = (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        cached = {name: int(value) for name, value in map(str.split, lines)}.get("inactive_file", 0)
        free.append(max(0, int(limit) - used + cached))  # the kernel gives up cached files for it
    return min(free)


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


# malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3

# oneDNN makes a kernel for each shape of a product and keeps the last 1,024, torch keeps as many beside it. A
# batch of texts has a shape of its own, so hardly one is used twice, and they lie between the activations: on
# texts of 200 tokens 350 MB of kernels cost 1.1 GB. Sixteen are those of one block (docs/log.md).
_KEPT_KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16", "LRU_CACHE_CAPACITY": "16"}


_MOST_FRAGMENTATION = 512 << 20  # bytes


# Resident and unknown to the C library (Python's own objects and the like), as last seen without holes.
_expected_unused = 0


def set_up_memory() -> None:
    """For a process that trains or predicts; before its first product. What the environment says stands."""
    for name, count in _KEPT_KERNELS.items():
        os.environ.setdefault(name, count)
    _keep_freed_blocks()
    global _expected_unused
    _expected_unused = _held_unused() or 0


def trim_heap() -> None:
    """Give the pages of freed blocks back to the kernel, where they lie between others and are many.

    Where small things that live on are made between large blocks (a graph without its activations, while the
    blocks run that will run again in the backward pass), a freed block does not fit the next of its size, and
    the heap grows by every one: after the 50 passes of a hearing it was 1.6 GB for 250 MB in use
    (docs/log.md).
    """
    global _expected_unused
    held = _held_unused()
    if held is not None and held > _expected_unused + _MOST_FRAGMENTATION:
        ctypes.CDLL(None).malloc_trim(0)
        _expected_unused = _held_unused() or 0


def _held_unused() -> int | None:
    """Bytes that are resident and not in use by the C library's callers; None where it does not tell.

    The heap's own count of free bytes will not do: it does not say which of them have pages.
    """
    libc, resident = _glibc(), status_bytes("RssAnon")
    if libc is None or resident is None or not hasattr(libc, "mallinfo2"):  # before 2.33
        return None
    libc.mallinfo2.restype = _Heap
    heap = libc.mallinfo2()
    return resident - int(heap.used) - int(heap.mapped)


class _Heap(ctypes.Structure):
    """struct mallinfo2 of malloc.h."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in ["arena", "chunks", "fast", "maps", "mapped", "most", "fast_free", "used", "free", "top"]
    )


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


def _keep_freed_blocks() -> None:
    """Ask glibc to keep large freed blocks for this process instead of giving them back to the kernel: what a
    pass frees is what the next one needs.

    By default every block above 32 MB is mapped anew and its pages are faulted in one by one: on texts of
    300 tokens a quarter of the processor time (docs/log.md). Other C libraries have no such switch.
    """
    libc = _glibc()
    if libc is None:
        return
    libc.mallopt(_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)
