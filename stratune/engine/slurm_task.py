"""A run as a job of a SLURM cluster: `python -m stratune.engine.slurm_task ORDER.json`.

The job is a process of its own already, so the run is done in it. Folder and cache are shared: it reads the
split and writes the run's folder where they are, `result.json` last, and what it tells meanwhile into a file
beside the order. Nothing is pickled on the way.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import IO

from stratune.engine.events import Event, Reporting
from stratune.engine.job import Job, Place
from stratune.files import read_json
from stratune.version import __version__

ORDER, EVENTS = "order.json", "events.jsonl"


def main(order: Path) -> None:
    fields = read_json(order)
    job, place = Job(**fields["job"]), Place(**fields["place"])
    with (order.parent / EVENTS).open("a", encoding="utf-8") as events:
        if why := _cannot_begin(fields["version"], job, place):
            job.failed(f"engine slurm: {why}", job.fingerprint).save(place.result_file(job))
            return
        from stratune.engine.run import execute

        execute(job, place, Reporting(lambda event: _tell(events, event)))


def _cannot_begin(version: str, job: Job, place: Place) -> str | None:
    node = platform.node()
    if version != __version__:
        return f"node {node} has stratune {__version__}, the comparison is of {version}"
    if not place.split(job).is_dir():
        why = "name a folder that all nodes share with STRATUNE_CACHE"
        return f"node {node} does not see the split in the cache, {place.split(job)}: {why}"
    return None


def _tell(events: IO[str], event: Event) -> None:
    events.write(json.dumps(event) + "\n")
    events.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
