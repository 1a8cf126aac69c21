"""Writing that cannot be caught half-done: a temporary file beside the target, fsync, rename."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut (POSIX; a no-op where folders cannot be opened)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path; when the block ends without an error it becomes `path` in one step.

    Nothing is left behind after an error, and readers see the old file or the new one, never a part.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=f".tmp{path.suffix}", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(
            0o666 & ~_umask()
        )  # mkstemp makes private files; a result is as public as the user's others
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(folder: str | Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield a temporary folder to fill; when the block ends without an error it becomes `folder`.

    With `keep`, a `folder` that another process has made meanwhile stays: for caches, where both hold the
    same, and a reader of the first must not lose it.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    old = temporary.with_suffix(".old")
    try:
        yield temporary
        for written in temporary.rglob("*"):
            if written.is_file():
                with written.open("rb") as stream:
                    os.fsync(stream.fileno())
        temporary.chmod(0o777 & ~_umask())
        if folder.exists() and not keep:
            folder.replace(old)
        try:
            temporary.replace(folder)
        except OSError as error:
            if not keep or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        _sync_folder(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """JSON with NaN refused: what we write, every reader reads."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sha256(*parts: str | bytes) -> str:
    """Hex digest of the parts; their lengths are hashed too, so ("ab", "c") differs from ("a", "bc")."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def folder_bytes(folder: str | Path) -> int:
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


def cache_folder() -> Path:
    """Where stratune keeps what it can compute again: $STRATUNE_CACHE, else the user's cache folder."""
    named = os.environ.get("STRATUNE_CACHE")
    base = (
        Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stratune"
    )
    base.mkdir(parents=True, exist_ok=True)
    return base
