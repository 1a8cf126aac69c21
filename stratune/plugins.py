"""Modules of users, imported so that what they register is known: metrics, figures, strategies.

An installed package names a module as an entry point (`stratune.figures`). A single file on PYTHONPATH is
named by an environment variable (`STRATUNE_FIGURES=my_figure,other`), which processes of a run inherit.
"""

from __future__ import annotations

import importlib
import os
from importlib.metadata import entry_points

from stratune.errors import ConfigError


def load(kind: str) -> None:
    """Import all modules that register things of a kind ("figures"). ConfigError names one that fails.

    What an entry point names inside its module is not looked up: the module may be importing us, half done.
    """
    group, variable = f"stratune.{kind}", f"STRATUNE_{kind.upper()}"
    found = [(group, plugin.module) for plugin in entry_points(group=group)]
    found += [(variable, name.strip()) for name in os.environ.get(variable, "").split(",") if name.strip()]
    for origin, module in found:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ConfigError(f"{module!r}: {error}", key=origin) from error
