"""What the readers of JSON share: Said, and access to values that may be of any type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stratune.transcript.clock import parse_moment, parse_time

Row = dict[str, Any]

MILLISECONDS = 0.001
TICKS = 1e-7  # of 100 nanoseconds, as Azure counts
BAD = math.nan  # a time that cannot be read


@dataclass(frozen=True, slots=True)
class Said:
    """One turn, or one word, of a file. `start` and `end`: seconds; BAD where the file's time is none."""

    text: str
    speaker: str = ""
    start: float | None = None
    end: float | None = None
    role: str = ""
    section: str = ""
    confidence: float | None = None


def at(value: Any, *path: str | int) -> Any:
    """What stands at a path of keys and positions; None where there is nothing."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def rows(value: Any) -> list[Row]:
    """The objects of a list; none of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def has(value: Any, *keys: str) -> bool:
    """Whether it is an object with all of these keys."""
    return isinstance(value, dict) and all(key in value for key in keys)


def any_has(value: Any, *keys: str) -> bool:
    """Whether it is a list whose first objects have all of these keys."""
    return any(has(item, *keys) for item in rows(value)[:5])


def first_of(value: Row, *keys: str) -> Any:
    """The first of these keys that holds something."""
    return next((value[key] for key in keys if value.get(key) not in (None, "", [], {})), None)


def time(value: Any, unit: float = 1.0) -> float | None:
    """Seconds of a number in `unit`s, "1.5s", "PT1.5S", {"seconds", "nanos"} or a clock time; else BAD."""
    if isinstance(value, dict):
        whole, part = (_number(value.get(key, 0)) for key in ("seconds", "nanos"))
        return BAD if whole is None or part is None else _checked(whole + part / 1e9)
    try:
        if unit != 1.0:
            number = _number(value)
            return None if value is None else BAD if number is None else _checked(number * unit)
        return parse_time(value)
    except ValueError:
        return BAD


def since_first(turns: Iterable[Said]) -> list[Said]:
    """Turns whose times are dates, as seconds since the first of them."""
    found = list(turns)
    first = min((one.start for one in found if one.start is not None and one.start == one.start), default=0.0)

    def moved(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds - first, 6)

    return [replace(one, start=moved(one.start), end=moved(one.end)) for one in found]


def moment(value: Any) -> float | None:
    """Seconds since 1970 of "2024-05-02T10:00:00.5Z"; BAD where it is no date."""
    if value is None or value == "":
        return None
    found = parse_moment(value) if isinstance(value, str) else None
    return BAD if found is None else found


def after(start: float | None, length: float | None) -> float | None:
    """The end of what begins at `start` and lasts `length` seconds."""
    return None if start is None or length is None else round(start + length, 6)


def confidence(value: Any) -> float | None:
    """A number from 0 to 1, also as text; None for everything else."""
    number = _number(value)
    return number if number is not None and 0 <= number <= 1 else None


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that are known, to four digits."""
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None


def texts(value: Any) -> Iterator[str]:
    """The text of a message: a string, or parts with a "text"."""
    if isinstance(value, str):
        yield value
    for part in value if isinstance(value, list) else []:
        yield from texts(part if isinstance(part, str) else at(part, "text"))


def joined(words: Sequence[str]) -> str:
    return " ".join(word.strip() for word in words if word.strip())


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _checked(seconds: float) -> float:
    try:
        return round(parse_time(seconds) or 0.0, 6)
    except ValueError:
        return BAD
