"""Times of transcripts: clock times and numbers to seconds, and back."""

from __future__ import annotations

import math
import re

LATEST = 1e11  # seconds; a larger number is not a time, even counted from 1970
CLOCK = r"(?:\d{1,9}:)?\d{1,4}:\d{2}(?:[.,]\d{1,9})?"  # 1:02:03.5, 02:03, 75:00
_CLOCK = re.compile(r"(?:(\d{1,9}):)?(\d{1,4}):(\d{2}(?:[.,]\d{1,9})?)")


def parse_clock(text: str) -> float | None:
    """Seconds of "1:02:03.5", "02:03,250"; None when it is no clock time."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60
    return round(whole + float(seconds.replace(",", ".")), 6)  # 90.692, not 90.69200000000001


def parse_time(value: object) -> float | None:
    """Seconds of a number, "12.5" or a clock time. ValueError for others; None where there is nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        if not value.strip():
            return None
        seconds = parse_clock(value)
        seconds = float(value) if seconds is None else seconds
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = math.inf if abs(value) > LATEST else float(value)
    else:
        raise ValueError(f"{value!r} is no time")
    if not 0 <= seconds <= LATEST:  # False for NaN too
        raise ValueError(f"{value!r} is no time")
    return seconds


def format_clock(seconds: float, point: str = ".") -> str:
    """01:02:03.500: to the millisecond, hours always there, as WebVTT (".") and SRT (",") write it."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}{point}{thousandths:03}"


def short_clock(seconds: float) -> str:
    """0:42, 1:02:03: for people."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
