"""Cues of WebVTT and SRT: blocks of lines with a line of times. Damaged ones keep their text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stratune.transcript.clock import parse_clock

Block = list[str]  # lines without a blank one among them
# Settings may follow the second time; either time may be damaged or gone.
_TIMES = re.compile(r"\s*([\d:.,]*)\s*-->\s*([\d:.,]*)")


@dataclass(frozen=True)
class Cue:
    start: float | None  # seconds
    end: float | None
    lines: list[str]
    broken: bool = False


def blocks(lines: Iterable[str]) -> Iterator[Block]:
    """Runs of lines between empty ones.

    A line of blanks is no empty one (YouTube puts it into cues): it ends a block only before a line of times.
    """
    block: Block = []
    known = list(lines)
    for number, line in enumerate(known):
        if line.strip():
            block.append(line)
        elif block and (not line or any("-->" in after for after in known[number + 1 : number + 3])):
            yield block
            block = []
    if block:
        yield block


def cues(block: Block) -> Iterator[Cue]:
    """The cues of a block: one; several without their blank lines; a broken one without its times."""
    marks = [number for number, line in enumerate(block) if _TIMES.match(line)]
    lost = block if not block[0].strip().isdigit() else block[1:]
    if marks:
        lost = block[: marks[0]][:-1]  # the line before the times is the cue's name
    if lost or not marks:
        yield Cue(None, None, lost, broken=True)
    for mark, following in itertools.pairwise([*marks, len(block)]):
        yield _timed(block[mark], block[mark + 1 : following], last=following == len(block))


def _timed(times: str, lines: list[str], *, last: bool) -> Cue:
    found = _TIMES.match(times)
    start, end = map(parse_clock, found.groups()) if found is not None else (None, None)
    if not last and lines and lines[-1].strip().isdigit():
        lines = lines[:-1]  # the number of the cue that follows
    return Cue(start, end, lines, broken=start is None or end is None)
