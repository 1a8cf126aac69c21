"""How many processor cores this process may keep busy: those it may run on, and what its container allows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")  # torch's and the linear algebra's; the tokenizers'
CGROUP = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


limited: set[str] = set()  # of THREADS those that nobody but `limit_threads` has named


def limit_threads() -> None:
    """To the cores that may be used, where they are fewer than there are and nobody says otherwise. torch and
    the tokenizers read it when they are loaded.
    """
    cores = usable_cores()
    if THREADS[0] in os.environ or cores >= (os.cpu_count() or 1):
        return
    for name in THREADS:
        if name not in os.environ:
            os.environ[name] = str(cores)
            limited.add(name)


def usable_cores() -> int:
    """At least 1. A container that may use the time of two cores still sees all 64 of its machine, and 64
    threads would wait for each other most of the time.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *map(int, _limits())]))


def _limits() -> Iterator[float]:
    """Cores' worth of time, of each group that this process is in."""
    for folder in _groups():
        for read in (_of_version_2, _of_version_1):
            if (limit := read(folder)) is not None:
                yield limit


def _groups() -> Iterator[Path]:
    """Folders from the process's own group to the outermost; in a container the outermost is its own."""
    yield CGROUP
    yield CGROUP / "cpu"
    try:
        lines = OWN.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        inside = path.strip("/")
        if inside and (not controllers or "cpu" in controllers.split(",")):
            top = CGROUP / "cpu" if controllers else CGROUP
            parts = Path(inside).parts
            yield from (top.joinpath(*parts[: k + 1]) for k in range(len(parts)))


def _of_version_2(folder: Path) -> float | None:
    """cpu.max: "200000 100000" is the time of two cores, "max 100000" no limit."""
    found = _numbers(folder / "cpu.max")
    return found[0] / found[1] if len(found) == 2 else None


def _of_version_1(folder: Path) -> float | None:
    quota, period = _numbers(folder / "cpu.cfs_quota_us"), _numbers(folder / "cpu.cfs_period_us")
    return quota[0] / period[0] if quota and period and quota[0] > 0 else None


def _numbers(path: Path) -> list[int]:
    try:
        words = path.read_text(encoding="ascii").split()
    except OSError:
        return []
    return [int(word) for word in words if word.lstrip("-").isdigit()]
