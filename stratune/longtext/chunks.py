"""Documents into chunks: whole sentences where they fit, never part of a token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.backbone.tokenizer import encode
from stratune.data.segments import SEPARATOR, readable
from stratune.errors import UnsupportedError
from stratune.tokens.tokens import Documents

if TYPE_CHECKING:
    from stratune.longtext.options import LongText

# Boundaries: after a sentence (with closing quotes and brackets), a line, or a segment.
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n+|" + SEPARATOR)
TEXTS = 64  # texts tokenised at a time: a document may have a megabyte of offsets


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of a document."""

    start: int
    end: int


# Texts -> start and end, in characters, of each token of each text
Offsets = Callable[[list[str]], list[list[tuple[int, int]]]]


@dataclass(frozen=True)
class Chunker:
    """Cuts documents into chunks of at most `how.window` tokens, `special` ones included."""

    how: LongText
    offsets: Offsets
    special: int = 0

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None) -> tuple[Documents, list[str]]:
        """(which document each chunk is of, the chunks). Raises UnsupportedError for pairs of texts."""
        if pairs is not None:
            raise UnsupportedError("a pair of texts", self.how.way, "only one text can be cut into chunks")
        spans = self.spans(texts)
        chunks = [
            readable(text[span.start : span.end])
            for text, own in zip(texts, spans, strict=True)
            for span in own
        ]
        owner = np.repeat(np.arange(len(texts)), [len(own) for own in spans])
        characters = np.array([(span.start, span.end) for own in spans for span in own], dtype=np.int64)
        return Documents(owner, characters.reshape(-1, 2), len(texts)), chunks

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """The chunks of each text, at least one."""
        found: list[list[Span]] = []
        for begin in range(0, len(texts), TEXTS):
            part = list(texts[begin : begin + TEXTS])
            for text, offsets in zip(part, self.offsets(part), strict=True):
                starts = np.array([start for start, _ in offsets], dtype=np.int64)
                room = self.how.window - self.special
                spans = list(_packed(text, starts, self.how, room)) or [Span(0, len(text))]
                found.append(_thinned(spans, self.how.most))
        return found


def tokens_by(tokenizer: Any) -> Offsets:
    """Offsets by a local tokenizer."""

    def offsets(texts: list[str]) -> list[list[tuple[int, int]]]:
        options = {"add_special_tokens": False, "return_offsets_mapping": True, "verbose": False}
        found: list[list[tuple[int, int]]] = encode(tokenizer, texts, **options)["offset_mapping"]
        return found

    return offsets


def words_as_tokens(texts: list[str]) -> list[list[tuple[int, int]]]:
    """Words in the place of tokens, for a server's model, whose tokenizer is not known."""
    return [[match.span() for match in re.finditer(r"\S+", text)] for text in texts]


def _packed(text: str, starts: NDArray[np.int64], how: LongText, room: int) -> Iterator[Span]:
    units = _units(text, how.by)
    for group in units:
        yield from _pack(group, starts, room, how.overlap)


def _units(text: str, by: str) -> list[list[Span]]:
    """Sentences in groups: the segments, or the whole text. A chunk never spans two groups."""
    if by == "token":
        return [[Span(0, len(text))]]
    if by == "sentence":
        return [_sentences(text, 0)]
    groups, start = [], 0
    for segment in text.split(SEPARATOR):
        groups.append(_sentences(segment, start))
        start += len(segment) + 1
    return groups


def _sentences(text: str, offset: int) -> list[Span]:
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    edges = [0, *ends, len(text)]
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return [Span(offset + a, offset + b) for a, b in pairs if text[a:b].strip(f"{SEPARATOR} \n\t")]


def _pack(units: list[Span], starts: NDArray[np.int64], room: int, overlap: int) -> Iterator[Span]:
    """Chunks of as many whole units as fit. With `overlap`, the last units of a chunk begin the next one."""
    first = np.searchsorted(starts, [unit.start for unit in units])
    last = np.searchsorted(starts, [unit.end for unit in units])
    counts = last - first
    i = 0
    while i < len(units):
        j, total = i, 0
        while j < len(units) and total + counts[j] <= room:
            total += int(counts[j])
            j += 1
        if j == i:  # one unit is longer than a chunk
            yield from _cut(units[i], starts, int(first[i]), int(last[i]), room, overlap)
            i += 1
            continue
        yield Span(units[i].start, units[j - 1].end)
        i = j if j == len(units) else _again(counts, i, j, overlap)


def _again(counts: NDArray[np.int64], i: int, j: int, overlap: int) -> int:
    """First unit of the next chunk: before `j` by units of at most `overlap` tokens, and after `i`."""
    total = 0
    while j - 1 > i and total + counts[j - 1] <= overlap:
        total += int(counts[j - 1])
        j -= 1
    return j


def _cut(
    unit: Span, starts: NDArray[np.int64], first: int, last: int, room: int, overlap: int
) -> Iterator[Span]:
    """One long unit, cut by tokens."""
    begin = first
    while True:
        end = min(begin + room, last)
        stop = unit.end if end == last else int(starts[end])
        yield Span(int(starts[begin]) if begin > first else unit.start, stop)
        if end == last:
            return
        begin = end - overlap


def _thinned(spans: list[Span], most: int | None) -> list[Span]:
    """`most` of them, evenly spread from the first to the last."""
    if most is None or len(spans) <= most:
        return spans
    return [spans[i] for i in np.unique(np.linspace(0, len(spans) - 1, most).round().astype(int))]
