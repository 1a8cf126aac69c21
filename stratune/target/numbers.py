"""Labels that are numbers."""

from __future__ import annotations

import math
from collections.abc import Collection


def number(label: str) -> float | None:
    """The finite number that a label is; None: it is none, "nan" and "inf" among them."""
    try:
        value = float(label)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def by_number(labels: Collection[str]) -> tuple[str, ...] | None:
    """Sorted by the numbers that they are; None where one is no number, which has no place among them."""
    found = {label: number(label) for label in labels}
    places = {label: value for label, value in found.items() if value is not None}
    return (
        tuple(sorted(places, key=lambda label: (places[label], label))) if len(places) == len(found) else None
    )
