"""compare: strategies x backbones x seeds on one split -> runs on disk, one leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.comparison.checked import checked
from stratune.comparison.endpoints import check_endpoints
from stratune.comparison.place import check_place, check_same, default_place, locked, name_of, prepare
from stratune.comparison.plan import Planned, plan
from stratune.comparison.schedule import RunEvent, Schedule
from stratune.comparison.slices import Slicing
from stratune.comparison.smaller import counts
from stratune.comparison.source import KEPT_ROWS, read_split
from stratune.comparison.sources import sources_of
from stratune.comparison.tracked import Tracked
from stratune.config import Config
from stratune.data.soft_labels import digest_of_ratings
from stratune.engine.base import Engine
from stratune.engine.choose import engine_for
from stratune.engine.job import Place
from stratune.identity import shared_by
from stratune.result import RunResult
from stratune.tracking.trackers import check_ready
from stratune.train.processes import is_main

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split


def run_comparison(
    config: Config,
    out: Path | None = None,
    *,
    rows: Mapping[str, Dataset] | None = None,
    fresh: bool = False,
    anyway: bool = False,
    jobs: int | None = None,
    watch: Callable[[RunEvent], None] = lambda event: None,
    placed: Callable[[Path], None] = lambda out: None,
    engine: Engine | str = "local",
    report: bool = True,
) -> Iterator[RunResult]:
    """Do every run that `out` does not have yet, `jobs` at once, then write the report. Yields results as
    they come. `engine`: where runs execute, by name (engine/choose.py).

    `rows`: parts that are in memory (source, val, test); they are kept beside the results. `out` None:
    stratune-out/NAME, which depends on data and task; `placed` is told which. `anyway`: errors of the data do
    not stop it. Killed at any moment, the same call goes on: a run with a result is done, one without resumes
    from its checkpoint.
    `sizes` and `transfer` of the configuration are checked here, and trained by `train_sizes` (sizes.py) and
    `transfer` (transfer.py). `report` False:
    what a part of another comparison is spared, the check of the data and the leaderboard.
    Raises DataError, ConfigError, or ArtifactError when `out` holds another comparison or another process
    works in it. Nothing is written before all has been checked.
    """
    from stratune.data.store import store_split

    rows = rows or {}
    runs = plan(config)
    check_ready(config.train.track if report else ())
    if out is not None:
        check_place(out)
    chosen = engine_for(engine, jobs) if isinstance(engine, str) else engine
    with chosen as engine:  # started first: its imports go on while we read
        split, texts = read_split(config, rows)
        counts(config.sizes, len(split.train))
        if config.transfer is not None:
            sources_of(config, split, config.transfer, rows=rows)
        config.decide.check(split.task.target)
        for candidate in {run.candidate.name: run.candidate for run in runs}.values():
            candidate.check_data(split)
        shared = _shared(config, split)
        if out is None:
            out = default_place("comparison" if rows else name_of(config.data.source), shared)
        owned = check_place(out)
        if not fresh:
            check_same(owned, shared)
        slicing = Slicing(config, split, rows) if report else None
        about = checked(config, split, texts, anyway=anyway) if report else {}
        check_endpoints(runs, config, split)
        placed(out)
        config = _kept_in(out, config, rows)
        with locked(out):
            prepare(out, config, split, shared, about, rows, [run.run_id for run in runs], fresh=fresh)
            if slicing is not None and is_main():
                slicing.keep_unless_there(out)
            tracked = _tracked(config, split, out, watch, runs)
            engine.open(out)
            stored, place = store_split(split), Place.here(out)
            schedule = Schedule(
                runs, config, place, stored.name, split.fingerprint, split.task, engine,
                watch if tracked is None else partial(_both, watch, tracked.on),
                ratings=digest_of_ratings(split) if any(run.candidate.soft_labels for run in runs) else "",
            )  # fmt: skip
            yield from schedule.results()
            if slicing is not None and is_main():
                from stratune.report import publish

                planned = {run.run_id for run in runs}
                if slicing.asked:
                    slicing.keep(out, slicing.searched(out, planned))
                board = publish(out, planned)
                if tracked is not None:
                    tracked.end(board)


def _shared(config: Config, split: Split) -> dict[str, Any]:
    sections = config.model_dump(mode="json")
    moving = (sections["budget"], sections["train"], sections["decide"])
    return shared_by(split.fingerprint, split.task.to_dict(), *moving)


def _tracked(
    config: Config, split: Split, out: Path, watch: Callable[[RunEvent], None], runs: Sequence[Planned]
) -> Tracked | None:
    """None where no tracker is asked for, or another process writes to them."""
    if not (config.train.track and is_main()):
        return None
    task, first = split.task, runs[0]

    def say(text: str) -> None:
        watch(RunEvent(first, {"event": "note", "text": text}, 0, len(runs)))

    tags = {"data": name_of(config.data.source), "fingerprint": split.fingerprint, "kind": task.kind}
    return Tracked.begin(config.train.track, out, task.selection.metric, tags, say)


def _both(watch: Callable[[RunEvent], None], tracked: Callable[[RunEvent], None], told: RunEvent) -> None:
    watch(told)
    tracked(told)


def _kept_in(out: Path, config: Config, rows: Mapping[str, Any]) -> Config:
    """Naming the files in which rows from memory are kept."""
    files = {part: str(out / KEPT_ROWS[part]) for part in rows}
    return config.model_copy(update={"data": config.data.model_copy(update=files)})
