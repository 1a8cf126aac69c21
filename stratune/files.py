"""Writing that cannot be caught half-done: a temporary file beside the target, fsync, rename."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# In the name of every file that is not whole yet, after the machine and the process that write it: what a
# killed process leaves is known by it.
TEMPORARY = ".stratune-tmp"


def temporary_prefix(name: str) -> str:
    """How the names of temporary files for `name` begin."""
    return f".{name}.{_machine()}-{os.getpid()}-"


def is_temporary(path: Path) -> bool:
    """Whether its name is that of a temporary file of ours."""
    return path.name.startswith(".") and TEMPORARY in path.name


def remove_abandoned(folder: Path) -> None:
    """Remove temporary files in `folder` whose process, on this machine, is no more."""
    for path in folder.iterdir() if folder.is_dir() else ():
        found = re.search(rf"\.{_machine()}-(\d+)-[^.]*{re.escape(TEMPORARY)}", path.name)
        if found and is_temporary(path) and not _is_alive(int(found[1])):
            remove(path)


def remove(path: Path) -> None:
    """A file, or a folder with all that is in it; a link, not what it points at."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:6]


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # there signal 0 ends it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


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
    with _naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=temporary_prefix(path.name), suffix=f"{TEMPORARY}{path.suffix}", dir=path.parent
        )
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files; results are as public as others
            temporary.replace(path)
            _sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors of the disk name what was to be written: not the temporary file, and never nothing."""
    try:
        yield
    except OSError as error:
        unnamed = error.filename is None and error.errno is not None  # without a number it is all message
        if unnamed or TEMPORARY in str(error.filename):
            error.filename, error.filename2 = str(path), None
        raise
    except Exception as error:
        if type(error).__name__ != "SafetensorError":  # not an OSError, also where the disk is full
            raise
        raise OSError(errno.EIO, str(error), str(path)) from error


@contextlib.contextmanager
def replacing_folder(folder: str | Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield a temporary folder to fill; when the block ends without an error it becomes `folder`.

    With `keep`, a `folder` that another process has made meanwhile stays: for caches, where both hold the
    same, and a reader of the first must not lose it.
    """
    folder = Path(folder)
    with _naming(folder), _filled(folder, keep) as temporary:
        yield temporary


@contextlib.contextmanager
def _filled(folder: Path, keep: bool) -> Iterator[Path]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(
        tempfile.mkdtemp(prefix=temporary_prefix(folder.name), suffix=TEMPORARY, dir=folder.parent)
    )
    old = temporary.with_name(f"{temporary.name}-old")
    try:
        yield temporary
        for written in temporary.rglob("*"):
            if written.is_file():
                with written.open("rb") as stream:
                    os.fsync(stream.fileno())
                written.chmod(0o666 & ~_umask())  # safetensors makes private files
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


def file_sha256(path: str | Path) -> str:
    """Hex digest of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
