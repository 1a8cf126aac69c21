"""Readouts: where the answer is read. One way, one file; importing this package finds ours."""

from __future__ import annotations

import importlib
import pkgutil

from stratune.readout.registry import READOUTS, register_readout

__all__ = ["READOUTS", "register_readout"]

# The order in which messages name them.
_ORDER = "head words generate"
for _name in _ORDER.split():
    importlib.import_module(f"{__name__}.{_name}")
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
