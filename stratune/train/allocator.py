"""Memory that a pass frees is what the next pass needs."""

from __future__ import annotations

import ctypes
import platform

# malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> None:
    """Ask glibc to keep large freed blocks for this process instead of giving them back to the kernel.

    By default every block above 32 MB is mapped anew and its pages are faulted in one by one: on texts of
    300 tokens a quarter of the processor time (docs/log.md). Other C libraries have no such switch.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)
