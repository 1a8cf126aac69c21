"""Memory below torch: few kernels are kept, and what the user asks for stands."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from stratune.memory import set_up_memory

NAMES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")


def test_few_kernels_are_kept(monkeypatch):
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    set_up_memory()
    assert [os.environ[name] for name in NAMES] == ["16", "16"]


def test_what_the_environment_says_stands(monkeypatch):
    monkeypatch.setenv(NAMES[0], "200")
    monkeypatch.delenv(NAMES[1], raising=False)
    set_up_memory()
    assert [os.environ[name] for name in NAMES] == ["200", "16"]


HOLES = """
import ctypes
from pathlib import Path
from stratune.memory import trim_heap, set_up_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

set_up_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def block(size):
    at = libc.malloc(size)
    ctypes.memset(at, 1, size)
    return at

between = [(block(1 << 20), block(64)) for _ in range(700)]
for large, _ in between[:300]:
    libc.free(large)
few = resident()
trim_heap()  # 300 MB are not many
kept = resident()
for large, _ in between[300:]:
    libc.free(large)
trim_heap()
print(few, kept, resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallinfo2 and malloc_trim")
def test_many_holes_are_given_back_and_few_are_kept():
    ran = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    few, kept, left = map(int, ran.stdout.split())
    assert few > 700 and kept == few and left < few - 500
