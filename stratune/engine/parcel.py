"""A folder as pieces of bytes, so that it travels to another machine: a tar, in pieces of bounded size."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from stratune.errors import ArtifactError
from stratune.files import is_temporary

PIECE = 16 << 20  # bytes


def packed(folder: Path, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[bytes]:
    """The files of a folder, but none that is half written. `wanted` is asked about what stands at its top.

    Links travel as what they point at: a combination's members may be linked.
    """
    with tempfile.TemporaryFile(dir=folder.parent) as stream:  # has no name: a killed process leaves nothing
        with tarfile.open(fileobj=stream, mode="w", dereference=True) as tar:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder)
                whole = path.is_file() and not any(is_temporary(Path(part)) for part in name.parts)
                if whole and wanted(name.parts[0]):
                    tar.add(path, name.as_posix())
        stream.seek(0)
        yield from pieces_of(stream)


def pieces_of(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece


def unpack(pieces: Iterable[bytes], folder: Path) -> None:
    """Write what was packed into `folder`.

    Raises ArtifactError where the pieces are no whole tar, or one that would write elsewhere.
    """
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Joined(pieces)), mode="r|") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                path = PurePosixPath(member.name)
                if content is None or path.is_absolute() or ".." in path.parts:
                    raise ArtifactError(
                        f"{folder.name}: {member.name!r} is no file of a folder that was sent"
                    )
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                with (folder / path).open("wb") as written:
                    shutil.copyfileobj(content, written)
    except tarfile.TarError as error:
        raise ArtifactError(f"{folder.name}: what arrived is not what was sent ({error})") from error


class _Joined(io.RawIOBase):
    """Pieces read one after the other, as one stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
