"""The libraries of extras, which only some formats need."""

from __future__ import annotations

import importlib.util

from stratune.errors import ConfigError

NEEDED = {
    "hf": (),
    "sklearn": ("skops",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "mlflow": ("mlflow",),
}
EXTRAS = {"mlflow": "track"}  # others: export


def need_libraries(to: str) -> None:
    """Raises ConfigError where one that the format needs is not installed."""
    missing = [name for name in NEEDED[to] if importlib.util.find_spec(name) is None]
    if missing:
        extra = EXTRAS.get(to, "export")
        why = f"{to!r} needs {', '.join(missing)}, not installed here: pip install 'stratune[{extra}]'"
        raise ConfigError(why, key="--to")
