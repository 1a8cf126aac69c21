"""Readouts: how predictions are read out. One readout, one file; importing this package registers ours."""

from __future__ import annotations

import importlib
import pkgutil

from stratune.readout.registry import READOUTS, register_readout

__all__ = ["READOUTS", "register_readout"]

# Their order in messages.
_ORDER = "head features two_tower words generate"
for _name in _ORDER.split():
    importlib.import_module(f"{__name__}.{_name}")
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
