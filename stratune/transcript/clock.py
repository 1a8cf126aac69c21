"""Times of transcripts: clock times and numbers to seconds, and back."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

LATEST = 1e11  # seconds; a larger number is not a time, even counted from 1970
CLOCK = r"(?:\d{1,9}:)?\d{1,4}:\d{2}(?:[.,]\d{1,9})?"  # 1:02:03.5, 02:03, 75:00
_CLOCK = re.compile(r"(?:(\d{1,9}):)?(\d{1,4}):(\d{2}(?:[.,]\d{1,9})?)")
_UNIT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*(ms|s|sec|seconds)")
# ISO 8601: PT1M2.5S, P0DT1H
_DURATION = re.compile(
    r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:[.,]\d{1,9})?)S)?)?", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


def parse_clock(text: str) -> float | None:
    """Seconds of "1:02:03.5", "02:03,250"; None when it is no clock time."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60
    return round(whole + float(seconds.replace(",", ".")), 6)  # 90.692, not 90.69200000000001


def parse_time(value: object) -> float | None:
    """Seconds of a number, "12.5", "1.5s", "90ms", "PT1M2.5S" or a clock time; None where there is nothing.

    ValueError for others.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        if not value.strip():
            return None
        seconds = parse_clock(value)
        seconds = _in_words(value.strip()) if seconds is None else seconds
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = math.inf if abs(value) > LATEST else float(value)
    else:
        raise ValueError(f"{value!r} is no time")
    if not 0 <= seconds <= LATEST:  # False for NaN too
        raise ValueError(f"{value!r} is no time")
    return seconds


def _in_words(text: str) -> float:
    unit = _UNIT.fullmatch(text)
    if unit is not None:
        return round(float(unit.group(1)) * (0.001 if unit.group(2) == "ms" else 1), 6)
    lasting = _DURATION.fullmatch(text)
    if lasting is not None and any(lasting.groups()):
        days, hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in lasting.groups())
        return round(days * 86400 + hours * 3600 + minutes * 60 + seconds, 6)
    return float(text)


def parse_moment(text: str) -> float | None:
    """Seconds since 1970 of "2024-05-02T10:00:00.1234567Z" (without a zone: UTC); None when it is no date."""
    if not _DATE.match(text.strip()):
        return None
    try:
        # Microsoft writes seven digits of a second, Python reads six.
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.strip()))
        return round((found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp(), 6)
    except (ValueError, OverflowError):
        return None


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
