"""Times in the lines of text exports: 00:04, [0:04:10], (10:02:11 AM), 00:01 - 00:04, dates before them."""

from __future__ import annotations

import re

from stratune.transcript.clock import parse_clock

_CLOCK = r"(?:\d{1,3}:)?\d{1,3}:\d{2}(?:[.,]\d{1,9})?"
_DAY = r"(?:\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}(?:,?\s{1,3}|T))?"
_HALF = r"(?:\s?[AaPp]\.?[Mm]\.?)?"
_ONE = rf"{_DAY}{_CLOCK}{_HALF}"
INNER = rf"\s?{_ONE}(?:\s?(?:-{{1,2}}>?|–|—|to)\s?{_ONE})?\s?[\])>]?"  # after the opening bracket
STAMP = rf"[\[(<]?{INNER}"

_TIME = re.compile(rf"({_DAY})({_CLOCK})({_HALF})")


def times_of(stamp: str) -> tuple[float | None, float | None]:
    """(start, end) in seconds; of a time of the day since midnight."""
    found = [_seconds(*match.groups()) for match in _TIME.finditer(stamp)]
    return (found[0] if found else None), (found[1] if len(found) > 1 else None)


def _seconds(day: str, clock: str, half: str) -> float | None:
    half = half.strip().lower().replace(".", "")
    if (half or day) and clock.count(":") == 1:
        clock += ":00"
    seconds = parse_clock(clock)
    if seconds is None or not half:
        return seconds
    return seconds % 43200 + (43200 if half == "pm" else 0)
