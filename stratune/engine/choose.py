"""The engine that a comparison uses unless it is given one."""

from __future__ import annotations

from stratune.engine.base import Engine
from stratune.engine.inline import InlineEngine
from stratune.engine.local import LocalEngine
from stratune.errors import ConfigError
from stratune.train.processes import launched


def engine_for(jobs: int) -> Engine:
    """Runs on this machine, `jobs` at once; in this process where `accelerate launch` started it."""
    if jobs < 1:
        raise ConfigError(f"{jobs} is below 1", key="jobs")
    if not launched():
        return LocalEngine(jobs)
    if jobs > 1:
        raise ConfigError("processes that train together do one run after the other", key="jobs")
    return InlineEngine()
