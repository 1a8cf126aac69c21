"""Markdown (.md): plain text whose front matter is left out; names in bold and headings are read as such."""

from __future__ import annotations

from pathlib import Path

from stratune.transcript.plain import parse_plain
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Transcript


def read_markdown(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text."""
    lines, damaged = read_lines(path, encoding)
    return parse_plain(_body(lines), document, damaged)


def _body(lines: list[str]) -> list[str]:
    """What follows the front matter: the lines between two `---` at the beginning."""
    if not lines or lines[0].strip() != "---":
        return lines
    ends = (number for number, line in enumerate(lines) if number and line.strip() in ("---", "..."))
    end = next(ends, None)
    return lines if end is None else lines[end + 1 :]
