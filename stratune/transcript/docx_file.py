"""Word documents (.docx): paragraphs and tables in their order, read as plain text. Needs python-docx."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stratune.data.text_files import require_file
from stratune.errors import DataError, boundary
from stratune.transcript.plain import parse_plain
from stratune.transcript.turn import Transcript

LARGEST = 300_000_000  # bytes of the unpacked document; a small file can unpack to all the memory there is


def read_docx(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError without python-docx, and for what is no Word document."""
    require_file(path)
    return parse_plain(docx_lines(path), document)


def docx_lines(path: Path) -> list[str]:
    """A blank line between paragraphs; the cells of a table's row are separated by tabs."""
    try:
        import docx
    except ImportError:
        why = "reading .docx needs python-docx: pip install 'stratune[transcripts]', or save it as plain text"
        raise DataError(why, path=path) from None
    _check_size(path)
    with boundary(lambda why: DataError(f"cannot be read as a Word document: {why}", path=path)):
        content = list(docx.Document(str(path)).iter_inner_content())
        return [line.replace("\0", " ") for block in content for line in _lines(block)]


def _check_size(path: Path) -> None:
    failed = boundary(lambda why: DataError(f"cannot be read as a Word document: {why}", path=path))
    with failed, zipfile.ZipFile(path) as packed:
        size = sum(info.file_size for info in packed.infolist())
    if size > LARGEST:
        raise DataError(f"unpacks to {size:,} bytes, more than {LARGEST:,}: save it as plain text", path=path)


def _lines(block: Any) -> Iterator[str]:
    """Of a paragraph its lines (text and line breaks), of a table its rows."""
    if hasattr(block, "rows"):
        for row in block.rows:
            cells = list(dict.fromkeys((cell._tc, cell.text) for cell in row.cells))  # merged ones come twice
            yield "\t".join(" ".join(text.split()) for _, text in cells)
    else:
        yield from str(block.text).split("\n")
    yield ""
