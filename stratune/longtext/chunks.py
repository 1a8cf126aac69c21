"""Documents into chunks: whole sentences as far as they fit, never half a token."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.data.segments import SEPARATOR

if TYPE_CHECKING:
    from stratune.longtext.options import LongText

# Behind the end of a sentence (with what closes it), or a line, or a piece.
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n+|" + SEPARATOR)
TEXTS = 64  # tokenised at a time: a document may be a megabyte of offsets


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of a document."""

    start: int
    end: int


def spans_of(tokenizer: Any, texts: Sequence[str], how: LongText, special: int) -> list[list[Span]]:
    """The chunks of each text, at least one; each of `how.window` tokens at most, of which `special` are the
    tokenizer's own.
    """
    found: list[list[Span]] = []
    for begin in range(0, len(texts), TEXTS):
        part = list(texts[begin : begin + TEXTS])
        encoded = tokenizer(part, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        for text, offsets in zip(part, encoded["offset_mapping"], strict=True):
            starts = np.array([start for start, _ in offsets], dtype=np.int64)
            spans = list(_packed(text, starts, how, how.window - special)) or [Span(0, len(text))]
            found.append(_thinned(spans, how.most))
    return found


def _packed(text: str, starts: NDArray[np.int64], how: LongText, room: int) -> Iterator[Span]:
    units = _units(text, how.by)
    for piece in units:
        yield from _pack(piece, starts, room, how.overlap)


def _units(text: str, by: str) -> list[list[Span]]:
    """Sentences, in groups that no chunk may join: the pieces, or the whole text."""
    if by == "token":
        return [[Span(0, len(text))]]
    if by == "sentence":
        return [_sentences(text, 0)]
    groups, start = [], 0
    for piece in text.split(SEPARATOR):
        groups.append(_sentences(piece, start))
        start += len(piece) + 1
    return groups


def _sentences(text: str, offset: int) -> list[Span]:
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    edges = [0, *ends, len(text)]
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return [Span(offset + a, offset + b) for a, b in pairs if text[a:b].strip(f"{SEPARATOR} \n\t")]


def _pack(units: list[Span], starts: NDArray[np.int64], room: int, overlap: int) -> Iterator[Span]:
    """As many units in a row as there is room for; the last few of them may begin the next chunk again."""
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
    """Where the next chunk begins: before `j` by units of `overlap` tokens at most, and after `i`."""
    total = 0
    while j - 1 > i and total + counts[j - 1] <= overlap:
        total += int(counts[j - 1])
        j -= 1
    return j


def _cut(
    unit: Span, starts: NDArray[np.int64], first: int, last: int, room: int, overlap: int
) -> Iterator[Span]:
    """A unit by its tokens."""
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
