"""The engine of a comparison, by its name."""

from __future__ import annotations

from collections.abc import Callable

from stratune.engine.base import Engine
from stratune.engine.inline import InlineEngine
from stratune.engine.local import LocalEngine
from stratune.engine.ray_engine import RayEngine
from stratune.engine.slurm_engine import SlurmEngine
from stratune.errors import ConfigError, choices
from stratune.train.processes import check_launch, launched


def engine_for(name: str, jobs: int | None = None) -> Engine:
    """`jobs` at once; None: what the engine does unless it is told. Raises ConfigError for a name that is
    none.
    """
    if jobs is not None and jobs < 1:
        raise ConfigError(f"{jobs} is below 1", key="jobs")
    if name not in ENGINES:
        raise ConfigError(choices(name, ENGINES), key="engine")
    return ENGINES[name](jobs)


def _local(jobs: int | None) -> Engine:
    """Runs on this machine, one at a time; in this process where `accelerate launch` started it."""
    check_launch()
    if not launched():
        return LocalEngine(jobs or 1)
    if (jobs or 1) > 1:
        raise ConfigError("processes that train together do one run after the other", key="jobs")
    return InlineEngine()


def _ray(jobs: int | None) -> Engine:
    """Runs on the machines of a cluster, as many as there is room for."""
    _check_not_launched()
    return RayEngine(jobs)


def _slurm(jobs: int | None) -> Engine:
    """Runs as jobs of a SLURM cluster, as many in its queue as SlurmEngine says."""
    _check_not_launched()
    return SlurmEngine(jobs)


def _check_not_launched() -> None:
    if launched():
        raise ConfigError("processes that train together run on this machine (local)", key="engine")


ENGINES: dict[str, Callable[[int | None], Engine]] = {"local": _local, "ray": _ray, "slurm": _slurm}
