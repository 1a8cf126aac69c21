"""What answers the rows of a file: this process, several of this machine, or those of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from stratune.cli.batches import Pool
from stratune.cli.workers import Added, Here, Loading
from stratune.errors import ConfigError, choices

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor

    Opening = Callable[[], AbstractContextManager[Pool]]

ENGINES = ("local", "ray")


def check_engine(name: str) -> None:
    if name not in ENGINES:
        raise ConfigError(choices(name, ENGINES), key="engine")


def pool_of(engine: str, jobs: int | None, loading: Loading, added: Added, predictor: Predictor) -> Opening:
    """How the pool is opened. `predictor`: kept only where this process answers; others load their own."""
    if engine == "ray":
        from stratune.cli.cluster import cluster
        from stratune.report.screen import screen

        return lambda: cluster(loading, added, jobs, screen(stderr=True).say)
    if (jobs or 1) > 1:
        from stratune.cli.processes import processes

        return lambda: processes(loading, added, jobs or 1)
    return lambda: nullcontext(Here(predictor, added))
