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
    group = f"stratune.{kind}"
    for plugin in entry_points(group=group):
        _import(plugin.module, f"entry point {plugin.value!r}", group)
    for module in named(kind):
        _import(module, repr(module), variable(kind))


def named(kind: str) -> list[str]:
    """The modules that the environment names."""
    return [name.strip() for name in os.environ.get(variable(kind), "").split(",") if name.strip()]


def variable(kind: str) -> str:
    """The environment variable that names modules: STRATUNE_FIGURES."""
    return f"STRATUNE_{kind.upper()}"


def _import(module: str, called: str, origin: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"{called}: {error}", key=origin) from error
