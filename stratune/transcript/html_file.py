"""Web pages (.html): their text, a line for each block, read as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from stratune.transcript.plain import parse_plain
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Transcript

_HIDDEN = frozenset(
    ["script", "style", "head", "title", "noscript", "template", "nav", "svg", "button", "select"]
)
_PARAGRAPHS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "blockquote",
        "ul",
        "ol",
        "dl",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ]
    + ["pre", "main", "header", "footer", "aside", "figure", "form", "hr", "body"]
)
_LINES = frozenset(["br", "li", "tr", "dt", "dd", "figcaption"])
_CELLS = frozenset(["td", "th"])


def read_html(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text. Scripts, styles and what stands in the head are no text."""
    lines, damaged = read_lines(path, encoding)
    return parse_plain(html_lines(lines), document, damaged)


def html_lines(lines: Sequence[str]) -> list[str]:
    parser = _Text()
    parser.feed("\n".join(lines))
    parser.close()
    text = "".join(parser.parts)
    return [
        "\t".join(" ".join(cell.split()) for cell in line.split("\t")).strip() for line in text.split("\n")
    ]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []  # open elements whose text nobody sees
        self._cells = 0  # of the row that is open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in _LINES:
            self.parts.append("\n")
            self._cells = 0
        elif tag in _CELLS:
            self.parts.append("\t" if self._cells else "")
            self._cells += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden and self._hidden.pop() != tag:
                pass
        elif tag in _PARAGRAPHS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data.replace("\n", " ").replace("\t", " "))
