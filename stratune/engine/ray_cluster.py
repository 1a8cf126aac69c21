"""A cluster of Ray's: how it is reached, and what of its machines one process may use."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stratune.engine.threads import named_threads
from stratune.errors import ConfigError, boundary


@dataclass(frozen=True)
class Share:
    """What a run may use of a machine."""

    cpus: int
    gpus: float  # of a run that has a model


@contextlib.contextmanager
def connected() -> Iterator[Any]:
    """Ray, in the cluster of $RAY_ADDRESS, or in one that is started here and ends with this.

    What Ray prints on standard output of what befalls its machines goes to standard error: the other is for
    answers and boards. Raises ConfigError where Ray is not installed, or the address leads to no cluster.
    """
    ray = _imported()
    with contextlib.redirect_stdout(sys.stderr):
        ours = not ray.is_initialized()
        if ours:
            _connect(ray)
        try:
            yield ray
        finally:
            if ours:
                ray.shutdown()


def nodes(ray: Any) -> list[dict[str, float]]:
    """What each machine that is there has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def room(found: list[dict[str, float]], share: Share) -> int:
    """How many processes the machines hold at once, one on each GPU where there are some; at least 1."""
    if gpus := sum(node.get("GPU", 0.0) for node in found):
        return max(1, int(gpus))
    return max(1, sum(int(node.get("CPU", 0.0)) // share.cpus for node in found))


def _imported() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # a cluster that we start reports to nobody
    try:
        import ray
    except ImportError:
        why = "--engine ray needs one more package: pip install 'stratune[ray]'"
        raise ConfigError(why, key="engine") from None
    return ray


def _connect(ray: Any) -> None:
    """Raises ConfigError where $RAY_ADDRESS leads to no cluster."""
    address = os.environ.get("RAY_ADDRESS", "").strip()
    how: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if not address or address == "local":
        ray.init(address="local", include_dashboard=False, **how)
        return
    if "://" in address:
        why = "is no address of a cluster's head (host:port, or auto on one of its machines)"
        raise ConfigError(f"RAY_ADDRESS {address!r} {why}", key="engine")
    _check_answers(address)
    with boundary(lambda why: ConfigError(f"RAY_ADDRESS {address!r}: {why}", key="engine")):
        ray.init(address=address, **how)


def _check_answers(address: str) -> None:
    """Ray itself tries for minutes, then ends the process."""
    host, colon, port = address.rpartition(":")
    if not colon:  # auto
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=10):
            pass
    except (OSError, ValueError) as error:
        raise ConfigError(f"RAY_ADDRESS {address!r}: nothing answers ({error})", key="engine") from error


def share_of(nodes: list[dict[str, float]], jobs: int | None) -> Share:
    """Processors of all machines, shared out among `jobs` as the local engine shares out those of its one,
    but no more than one machine has. $OMP_NUM_THREADS says otherwise; without both it is one.
    """
    cpus = [int(node.get("CPU", 0.0)) for node in nodes]
    gpus = sum(node.get("GPU", 0.0) for node in nodes)
    threads = named_threads() or (sum(cpus) // jobs if jobs is not None else 1)
    at_once_on_a_gpu = max(1, -(-(jobs or 1) // int(gpus))) if gpus >= 1 else 1
    return Share(max(1, min(threads, max(cpus, default=1))), 1 / at_once_on_a_gpu if gpus else 0.0)
