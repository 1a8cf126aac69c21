"""Numbers and names as a person reads them. "-" stands for what was not measured."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from stratune.printable import printable, shortened

NOTHING = "-"


def score(value: float | None) -> str:
    """0.806; an error in the user's units may be 1,234 or 0.00072"""
    return NOTHING if value is None else _number(value, _decimals(value))


def interval(estimate: dict[str, float] | None) -> str:
    """0.806 [.777, .831]"""
    if estimate is None:
        return NOTHING
    decimals = _decimals(*(estimate[end] for end in ("value", "low", "high")))
    low, high = (re.sub(r"^(-?)0\.", r"\1.", _number(estimate[end], decimals)) for end in ("low", "high"))
    return f"{_number(estimate['value'], decimals)} [{low}, {high}]"


def difference(pair: Mapping[str, Any] | None, *, ends: bool = True) -> str:
    """-0.009 [-.040, +.021]; `ends` False: -0.009"""
    if pair is None:
        return NOTHING
    numbers = [pair[end] for end in ("difference", "low", "high")]
    decimals = _decimals(*numbers)
    value, low, high = (f"{round(number, decimals) + 0.0:+,.{decimals}f}" for number in numbers)  # no -0.000
    short_ends = (re.sub(r"^([-+])0\.", r"\1.", end) for end in (low, high))
    return f"{value} [{', '.join(short_ends)}]" if ends else value


def count(value: float | None) -> str:
    """74 k, 22.8 M, 1.1 G: three digits are enough to compare sizes."""
    return NOTHING if value is None else _scaled(value, 1000, ("", "k", "M", "G", "T"))


def size(value: float | None) -> str:
    """310 kB, 1.2 GB"""
    return NOTHING if value is None else _scaled(value, 1000, ("B", "kB", "MB", "GB", "TB"))


def seconds(value: float | None) -> str:
    """0.4 s, 31 s, 2.1 min, 3.4 h"""
    if value is None:
        return NOTHING
    for limit, unit, name in ((99.5, 1, "s"), (99.5 * 60, 60, "min")):
        if value < limit:
            return f"{value / unit:.{1 if value < 9.95 * unit else 0}f} {name}"
    return f"{value / 3600:.1f} h"


def rate(value: float | None) -> str:
    """54, 1 240"""
    return (
        NOTHING
        if value is None
        else f"{value:,.0f}".replace(",", "\u202f")
        if value >= 10
        else f"{value:.1f}"
    )


def share(value: float | None) -> str:
    """0.3 %, 12 %"""
    if value is None:
        return NOTHING
    return f"{100 * value:.{1 if 0 < value < 0.0995 else 0}f} %"


def entry(strategy: str, backbone: str | None) -> str:
    """`lora@minilm`; `tfidf`, which has no backbone."""
    return strategy if backbone is None else f"{strategy}@{backbone}"


def plain(text: object) -> str:
    """On one line, without control characters."""
    return printable(text)


def spreadsheet(cell: Any) -> Any:
    """A cell of a CSV: words on one line. One that begins like a formula would be calculated: behind an
    apostrophe it is text.
    """
    if not isinstance(cell, str):
        return cell
    line = plain(cell)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def short(text: object, width: int = 24) -> str:
    """On one line, cut to `width` characters with an ellipsis."""
    return shortened(text, width)


def backbones(ids: Iterable[str | None]) -> dict[str | None, str]:
    """Id -> a short name: `org/model` is `model` where no other id ends in `model`."""
    known = set(ids)
    tails = {one: (one or NOTHING).rstrip("/").rsplit("/", 1)[-1] for one in known}
    seen = list(tails.values())
    return {one: short(tail if seen.count(tail) == 1 else one, 28) for one, tail in tails.items()}


def file_name(*parts: str | None) -> str:
    """`lora@minilm`: part of a file name on any system. Slashes become "--" as in run folders.

    Other odd characters become "-", and a short hash keeps two such names from sharing a file.
    """
    name = "@".join((part or "none").strip("/").replace("/", "--") for part in parts)
    safe = re.sub(r"[^\w.@+=,()-]", "-", name, flags=re.ASCII)[:120]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:6]}"


def _decimals(*values: float) -> int:
    """Three, as for shares; fewer for large numbers, more for small ones that are not zero."""
    largest = max(map(abs, values))
    if 1e-6 < largest < 0.001:
        return 1 - math.floor(math.log10(largest))
    return 3 if largest < 100 else 1 if largest < 1000 else 0


def _number(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}"


def _scaled(value: float, base: int, units: tuple[str, ...]) -> str:
    power = 0
    while abs(value) >= 999.5 and power < len(units) - 1:
        value, power = value / base, power + 1
    digits = 0 if power == 0 or value >= 99.95 else 1
    return f"{value:.{digits}f} {units[power]}".strip().replace(".0 ", " ")
