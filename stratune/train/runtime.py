"""Runtime: device, precision and batch size of a net."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stratune.errors import ConfigError, choices
from stratune.train.precision import Precision, resolve
from stratune.train.settings import TrainSettings


@dataclass(frozen=True)
class Runtime:
    device: torch.device
    precision: Precision = "float32"
    micro_batch_tokens: int = 4096  # padded tokens of a micro-batch


def runtime_of(precision: str, device: str | None) -> Runtime:
    """For predictions of a model trained in `precision`: on `device`, or on the best device there is."""
    where = device_of(device) if device is not None else torch.device(default_device())
    found = resolve("float32" if precision == "float32" else "auto", where)
    return Runtime(where, found, TrainSettings().tokens_per_micro_batch(where.type))


def device_of(name: str) -> torch.device:
    """Raises ConfigError for a device that is not here."""
    here = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    here += ["mps"] if torch.backends.mps.is_available() else []
    kind, _, number = name.partition(":")
    if kind not in here:
        raise ConfigError(choices(name, here), key="device")
    most = torch.cuda.device_count() if kind == "cuda" else 1
    if number and not (number.isascii() and number.isdigit() and int(number) < most):
        raise ConfigError(f"{name!r}: there are {most} of {kind}, counted from 0", key="device")
    return torch.device(name)


def default_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def autocast(runtime: Runtime) -> torch.autocast:
    dtype = torch.float16 if runtime.precision == "float16" else torch.bfloat16
    return torch.autocast(runtime.device.type, dtype=dtype, enabled=runtime.precision != "float32")
