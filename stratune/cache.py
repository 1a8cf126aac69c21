"""What can be computed again, kept on disk: written whole, sealed with a digest of every file, and made again
where it is not what was written.

The digests find flipped bits, cut files and files that were exchanged. They are no defence against somebody
who can write in the cache folder and means harm.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import xxhash
from filelock import FileLock

from stratune.files import TEMPORARY, replacing_folder, temporary_prefix

SEAL = "seal.json"
LOCK = (
    ".lock"  # held while a damaged entry goes: of two processes the second would take the first one's new one
)
CHUNK = 1 << 23  # bytes read at a time


def kept(folder: Path, make: Callable[[Path], None]) -> bool:
    """Have `folder` as `make(folder)` writes it. True: it was there, and whole.

    Of two processes that make it at once the first one's stays: both hold the same.
    """
    if is_whole(folder) or (folder.exists() and not _was_damaged(folder)):
        return True
    with replacing_folder(folder, keep=True) as temporary:
        make(temporary)
        seal(temporary)
    return False


def seal(folder: Path) -> None:
    """Write down what is in it."""
    digests = {path.name: digest(path) for path in sorted(folder.iterdir()) if path.name != SEAL}
    (folder / SEAL).write_text(json.dumps(digests), encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Whether every file is the one that was sealed, and there is no other."""
    try:
        digests = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        there = {path.name for path in folder.iterdir()} - {SEAL}
        return there == set(digests) and all(digest(folder / name) == digests[name] for name in there)
    except (OSError, ValueError, TypeError):
        return False


def digest(path: Path) -> str:
    """XXH3 of a file's bytes: as fast as they can be read."""
    state = xxhash.xxh3_128()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            state.update(chunk)
    return state.hexdigest()


def _was_damaged(folder: Path) -> bool:
    """Set it aside, unless it is whole by now: another process may have made it and read it."""
    with FileLock(folder.parent / LOCK):
        damaged = not is_whole(folder)
        if damaged:
            _set_aside(folder)
    return damaged


def _set_aside(folder: Path) -> None:
    """Away in one step, so that nobody finds half of it; then removed."""
    grave = Path(tempfile.mkdtemp(prefix=temporary_prefix(folder.name), suffix=TEMPORARY, dir=folder.parent))
    try:
        folder.replace(grave / "damaged")
    except FileNotFoundError:  # another process was quicker
        pass
    finally:
        shutil.rmtree(grave, ignore_errors=True)
