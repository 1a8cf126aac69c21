"""The readouts by name, and the decorator that fills the table.

A readout is one file in this folder with one registered class; files are found by themselves, and so are
classes behind the entry point `stratune.readouts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stratune.readout.base import Readout

READOUTS: dict[str, type[Readout]] = {}

_R = TypeVar("_R", bound=type[Readout])


def register_readout(kind: str) -> Callable[[_R], _R]:
    """Make a readout known under `kind`: `readout: {kind: ...}`, or `lora+...`."""

    def keep(cls: _R) -> _R:
        cls.kind = kind
        READOUTS[kind] = cls
        return cls

    return keep
