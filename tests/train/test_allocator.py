"""Memory below torch: few kernels are kept, and what the user asks for stands."""

from __future__ import annotations

import os

from stratune.train.allocator import set_up_memory

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
