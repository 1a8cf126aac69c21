"""A run on a machine of a Ray cluster: what it needs is brought there, it runs in a process of its own as
everywhere (local.py), and what it tells is handed on, in the end its folder.

Text and bytes pass, nothing that is pickled: a node whose stratune is another one says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from stratune.cache import kept
from stratune.engine.events import Event
from stratune.engine.job import Job, Place
from stratune.engine.local import LocalEngine
from stratune.engine.parcel import packed, unpack
from stratune.errors import ConfigError, StratuneError
from stratune.files import TEMPORARY, cache_folder, remove_abandoned, temporary_prefix
from stratune.version import __version__

Pieces = Sequence[Any]  # ObjectRefs of pieces of bytes: fetched where they are needed only


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
            _check_version(fields["version"])
            _stand_in(fields["cwd"])
            out = stack.enter_context(_brought(job, split, folders))
        except (StratuneError, OSError) as error:
            yield json.dumps({"event": "failed", "text": str(error)})
            return
        engine = _engine(fields["environment"])
        engine.open(out)
        yield from _told(engine, job)
        yield from packed(Place.here(out).run(job.run_id))


def _check_version(asked: str) -> None:
    if asked != __version__:
        raise ConfigError(
            f"this node has stratune {__version__}, the comparison is of {asked}", key="engine ray"
        )


def _stand_in(folder: str) -> None:
    """A backbone's folder may be named from where the comparison was started. On another machine that place
    need not be: then the run says what it does not find.
    """
    with contextlib.suppress(OSError):
        os.chdir(folder)


@contextlib.contextmanager
def _brought(job: Job, split: Pieces, folders: Mapping[str, Pieces]) -> Iterator[Path]:
    """The folder of a comparison with what the run needs; gone after the run. The split stays in the cache
    of this machine, as splits do: the next run finds it there.
    """
    import ray

    def fetched(pieces: Pieces) -> Iterator[bytes]:
        for piece in pieces:
            yield ray.get(piece)

    def stored(empty: Path) -> None:
        unpack(fetched(split), empty)

    runs = cache_folder() / "ray"
    runs.mkdir(exist_ok=True)
    remove_abandoned(runs)
    prefix = temporary_prefix("run")
    with tempfile.TemporaryDirectory(prefix=prefix, suffix=TEMPORARY, dir=runs) as name:
        place = Place.here(Path(name))
        kept(place.split(job), stored)
        for run, pieces in folders.items():
            unpack(fetched(pieces), place.run(run))
        yield Path(name)


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
