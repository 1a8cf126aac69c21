"""What a process on a machine of a Ray cluster does first: it sees that stratune is the same there, stands
where the command stood, and takes a folder that was sent.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stratune.errors import ConfigError
from stratune.files import TEMPORARY, cache_folder, remove_abandoned, temporary_prefix
from stratune.version import __version__

Pieces = Sequence[Any]  # ObjectRefs of pieces of bytes: fetched where they are needed only


def check_version(asked: str) -> None:
    if asked != __version__:
        raise ConfigError(
            f"this node has stratune {__version__}, the command is of {asked}", key="engine ray"
        )


def stand_in(folder: str) -> None:
    """A backbone's folder may be named from where the comparison was started. On another machine that place
    need not be: then the run says what it does not find.
    """
    with contextlib.suppress(OSError):
        os.chdir(folder)


def fetched(pieces: Pieces) -> Iterator[bytes]:
    import ray

    for piece in pieces:
        yield ray.get(piece)


@contextlib.contextmanager
def passing_folder(what: str) -> Iterator[Path]:
    """An empty folder in the cache of this machine; gone after its use, or, where its process was killed,
    before the next one's.
    """
    place = cache_folder() / "ray"
    place.mkdir(exist_ok=True)
    remove_abandoned(place)
    prefix = temporary_prefix(what)
    with tempfile.TemporaryDirectory(prefix=prefix, suffix=TEMPORARY, dir=place) as name:
        yield Path(name)
