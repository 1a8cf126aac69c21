"""Readouts by name, and the decorator that registers them.

A readout is one file in this folder with one registered class. The files are imported automatically, and so
are classes of the entry point `stratune.readouts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stratune.readout.base import Readout

READOUTS: dict[str, type[Readout]] = {}

_R = TypeVar("_R", bound=type[Readout])


def register_readout(kind: str) -> Callable[[_R], _R]:
    """Register a readout as `kind`, for `readout: {kind: ...}` and `lora+...`."""

    def keep(cls: _R) -> _R:
        cls.kind = kind
        READOUTS[kind] = cls
        return cls

    return keep
