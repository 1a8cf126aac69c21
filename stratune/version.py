"""The version, and those of what a result was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

__version__ = "0.7.0"

PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "scikit-learn", "numpy")


def versions() -> dict[str, str]:
    found = {"stratune": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # an optional one
            continue
    return found
