"""The figures of a report, one file each. Importing this package finds them all.

What a file of your own needs is importable from here: `Entry`, `Scene`, `figure`, `panel`, `to_svg`.
"""

from __future__ import annotations

import importlib
import pkgutil

from stratune import plugins
from stratune.report.comparison import Entry
from stratune.report.figure import figure, figures_of
from stratune.report.scene import Scene
from stratune.report.style import by_row, panel, to_svg

__all__ = ["Entry", "Scene", "by_row", "figure", "figures_of", "panel", "to_svg"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
plugins.load("figures")
