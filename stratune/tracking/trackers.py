"""The trackers that there are, by name; each module is loaded when its tracker is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stratune.errors import ConfigError
from stratune.tracking.base import Tracker
from stratune.tracking.wandb import check_key

_CLASSES = {"tensorboard": "TensorBoard", "mlflow": "MLflow", "wandb": "WandB", "trackio": "Trackio"}


def check_ready(names: Sequence[str]) -> None:
    """Raises ConfigError for the first whose library is missing, or that lacks a key."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            why = f"{name} is not installed: pip install 'stratune[track]'"
            raise ConfigError(why, key="train.track")
        if name == "wandb":
            check_key()


def tracker(name: str, out: Path) -> Tracker:
    """Of a comparison in `out`."""
    module = importlib.import_module(f"stratune.tracking.{name}")
    made: Any = getattr(module, _CLASSES[name])(out)
    found: Tracker = made
    return found
