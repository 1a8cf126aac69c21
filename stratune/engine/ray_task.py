"""A run on a machine of a Ray cluster: what it needs is brought there, it runs in a process of its own as
everywhere (local.py), and what it tells is handed on, in the end its folder.

Text and bytes pass, nothing that is pickled: a node whose stratune is another one says so.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from stratune.cache import kept
from stratune.engine.events import Event
from stratune.engine.job import Job, Place
from stratune.engine.local import LocalEngine
from stratune.engine.parcel import packed, unpack
from stratune.engine.ray_node import Pieces, check_version, fetched, passing_folder, stand_in
from stratune.errors import StratuneError


def work(order: str, split: Pieces, folders: Mapping[str, Pieces]) -> Iterator[str | bytes]:
    """Events of the run as JSON, then the pieces of its folder. `{"event": "failed", ...}` instead of these,
    where it could not begin.

    `split`: of the stored split. `folders`: of run folders by run id: of members of a combination, and of
    this run, where it was begun elsewhere.
    """
    fields = json.loads(order)
    job = Job(**fields["job"])
    with contextlib.ExitStack() as stack:
        try:
            check_version(fields["version"])
            stand_in(fields["cwd"])
            out = stack.enter_context(_brought(job, split, folders))
        except (StratuneError, OSError) as error:
            yield json.dumps({"event": "failed", "text": str(error)})
            return
        engine = _engine(fields["environment"])
        engine.open(out)
        yield from _told(engine, job)
        yield from packed(Place.here(out).run(job.run_id))


@contextlib.contextmanager
def _brought(job: Job, split: Pieces, folders: Mapping[str, Pieces]) -> Iterator[Path]:
    """The folder of a comparison with what the run needs; gone after the run. The split stays in the cache
    of this machine, as splits do: the next run finds it there.
    """

    def stored(empty: Path) -> None:
        unpack(fetched(split), empty)

    with passing_folder("run") as folder:
        place = Place.here(folder)
        kept(place.split(job), stored)
        for run, pieces in folders.items():
            unpack(fetched(pieces), place.run(run))
        yield folder


# The engine of this worker process of Ray's, and for which environment: a worker does one run after another,
# and its zygote has its imports behind it from the first one on.
_engines: dict[str, LocalEngine] = {}


def _engine(environment: Mapping[str, str]) -> LocalEngine:
    os.environ.update(environment)
    key = json.dumps([sorted(environment.items()), os.environ.get("CUDA_VISIBLE_DEVICES"), str(Path.cwd())])
    if key not in _engines:
        while _engines:
            _engines.popitem()[1].close()
        _engines[key] = LocalEngine()
    return _engines[key]


def _told(engine: LocalEngine, job: Job) -> Iterator[str]:
    """What the run tells, until it has ended."""
    told: SimpleQueue[Event | None] = SimpleQueue()

    def run() -> None:
        try:
            engine.submit(job, told.put)
            engine.wait()
        finally:
            told.put(None)

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(run)
        while (event := told.get()) is not None:
            yield json.dumps(event)
        running.result()
