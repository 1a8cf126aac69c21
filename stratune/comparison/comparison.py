"""compare: strategies x backbones x seeds on one split -> runs on disk, one leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from stratune.comparison.place import check_place, locked, prepare
from stratune.comparison.plan import plan
from stratune.comparison.schedule import RunEvent, Schedule
from stratune.comparison.source import read_split
from stratune.config import Config
from stratune.engine.base import Engine
from stratune.engine.choose import engine_for
from stratune.engine.job import Place
from stratune.result import RunResult
from stratune.train.processes import is_main


def run_comparison(
    config: Config,
    out: Path,
    *,
    fresh: bool = False,
    jobs: int = 1,
    watch: Callable[[RunEvent], None] = lambda event: None,
    engine: Engine | None = None,
) -> Iterator[RunResult]:
    """Do every run that `out` does not have yet, `jobs` at once, then write the report. Yields results as
    they come.

    Killed at any moment, the same call goes on: a run with a result is done, one without resumes from its
    checkpoint.
    Raises DataError, ConfigError, or ArtifactError when `out` holds another comparison or another process
    works in it.
    """
    from stratune.data.store import store_split

    runs = plan(config)
    check_place(out)
    with engine or engine_for(jobs) as engine:  # started first: its imports go on while we read
        split, texts = read_split(config)
        with locked(out):
            prepare(out, config, split, texts, fresh)
            engine.open(out)
            stored, place = store_split(split), Place.here(out)
            schedule = Schedule(
                runs, config, place, stored.name, split.fingerprint, split.task, engine, watch
            )
            yield from schedule.results()
            if is_main():
                from stratune.report import publish

                publish(out)
