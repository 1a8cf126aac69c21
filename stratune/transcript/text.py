"""The text of a transcript file: a few damaged bytes are replaced and counted, more are an error."""

from __future__ import annotations

import re
from pathlib import Path

from stratune.data.text_files import codec_of, open_text, require_file
from stratune.errors import ConfigError, DataError

# One undecodable byte in so many is allowed. A single one always is: the file may end inside a character.
MOST_DAMAGED = 1000
_LINE_END = re.compile(r"\r\n|\r|\n")
_REPLACED = "\ufffd"


def read_lines(path: Path, encoding: str | None = None) -> tuple[list[str], int]:
    """(lines without their ends, how many undecodable bytes were replaced).

    UTF-8 with or without a byte-order mark unless `encoding` is named. DataError for an empty or binary file
    and for another encoding (line, byte, what it looks like).
    """
    require_file(path)
    codec_of(encoding, b"")
    try:
        raw = path.read_bytes()
        codec = codec_of(encoding, raw[:4])
        text = raw.decode(codec, errors="replace")
        kept = raw.decode(codec, errors="ignore").count(_REPLACED)
    except PermissionError:
        raise DataError("no permission to read it", path=path) from None
    except LookupError:
        raise ConfigError(f"{encoding!r} is not an encoding of text", key="encoding") from None
    except UnicodeError as error:  # utf-16 without its mark
        raise DataError(f"is not text in {encoding}: {error}", path=path) from None
    damaged = text.count(_REPLACED) - kept
    if damaged > max(1, len(raw) // MOST_DAMAGED):
        with open_text(path, encoding) as stream:  # raises DataError with line, byte and likely encoding
            stream.read()
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise DataError(
            "holds a NUL character: a binary file, or UTF-16 text without its mark", path=path, row=row
        )
    return _LINE_END.split(text), max(damaged, 0)
