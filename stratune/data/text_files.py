"""Opening a text file: errors name the file, the line and the byte."""

from __future__ import annotations

import codecs
import contextlib
import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn, TextIO

from stratune.errors import ConfigError, DataError, choices

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def require_file(path: Path, suffixes: Iterable[str] = ()) -> None:
    """DataError unless `path` is a file with something in it, named like one of `suffixes` (when given)."""
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"no such file{_close_names(path)}", path=path) from None
    except OSError as error:
        raise DataError(f"cannot be opened: {error.strerror}", path=path) from None
    if path.is_dir():
        raise DataError("is a folder, not a file", path=path)
    known = list(suffixes)
    if known and path.suffix.lower() not in known:
        raise DataError(f"file type {choices(path.suffix.lower(), known)}", path=path)
    if path.is_file() and size == 0:
        raise DataError("is empty (0 bytes)", path=path)


def _close_names(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f" (there is no folder {path.parent} either)" if not path.parent.exists() else ""
    close = difflib.get_close_matches(path.name, names, n=3)
    return f" (did you mean {' or '.join(repr(name) for name in close)}?)" if close else ""


def check_encoding(encoding: str | None) -> None:
    """ConfigError for a name that Python does not know as an encoding of text."""
    codec_of(encoding, b"")


def codec_of(encoding: str | None, start: bytes) -> str:
    """The codec that reads a text whose first bytes are `start`, and takes its byte order mark away.

    ConfigError as check_encoding.
    """
    try:
        found = codecs.lookup(encoding or "utf-8")
    except (LookupError, ValueError):
        found = None
    if found is None or not found._is_text_encoding:  # "hex" and "zip" are codecs too
        raise ConfigError(
            f"{encoding!r} is not a known text encoding, such as utf-8, cp1252, latin-1 or utf-16",
            key="encoding",
        )
    if found.name == "utf-8":
        return "utf-8-sig"
    marked = next((name for mark, name in _BOMS if start.startswith(mark)), "")
    return marked if found.name.startswith("utf-16") and marked == "utf-16" else found.name


@contextlib.contextmanager
def open_text(path: Path, encoding: str | None = None) -> Iterator[TextIO]:
    """The file as text, line ends untouched; UTF-8, with or without its mark, unless `encoding` is set.

    DataError where the bytes are not in the encoding (line, byte, what they look like) or cannot be read.
    """
    try:
        with path.open("rb") as beginning:
            codec = codec_of(encoding, beginning.read(4))
        with path.open(encoding=codec, newline="") as stream:
            yield stream
    except PermissionError:
        raise DataError("no permission to read it", path=path) from None
    except UnicodeError:
        _raise_undecodable(path, encoding)


def open_loosely(path: Path) -> TextIO:
    """The file as text whatever its encoding: good enough to count lines, not to read words."""
    with path.open("rb") as stream:
        start = stream.read(4)
    encoding = next((name for mark, name in _BOMS if start.startswith(mark)), "utf-8")
    return path.open(encoding=encoding, errors="replace", newline="")


def _raise_undecodable(path: Path, encoding: str | None) -> NoReturn:
    """Read again, line by line: the stream's own error gives the position in a buffer, not in the file."""
    position = 0
    with path.open("rb") as stream:
        for row, line in enumerate(stream, start=1):
            try:
                line.decode(encoding or "utf-8")
            except UnicodeError as error:
                at = error.start if isinstance(error, UnicodeDecodeError) else 0
                number, name = position + at + 1, encoding or "UTF-8"
                message = f"byte 0x{line[at]:02x} (number {number} of the file) is not {name}"
                raise DataError(f"{message}{_advice(path, line, encoding)}", path=path, row=row) from None
            position += len(line)
    raise DataError(f"is not text in {encoding or 'UTF-8'}", path=path)


def _advice(path: Path, line: bytes, encoding: str | None) -> str:
    looks = _looks_like(path, line)
    if looks == (encoding or "utf-8").lower():
        return ""
    return f"; the file looks like {looks}: save it as UTF-8 or name it with --encoding {looks}"


def _looks_like(path: Path, line: bytes) -> str:
    """A guess from the first bytes and the line that failed; latin-1 fits everything, so it comes last."""
    with path.open("rb") as stream:
        start = stream.read(4096)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return "utf-8" if name == "utf-8-sig" else name
    if start.count(0) > len(start) // 8:
        return "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
    with contextlib.suppress(UnicodeDecodeError):
        line.decode("cp1252")
        return "cp1252"
    return "latin-1"
