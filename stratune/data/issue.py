"""Issue: one finding about the data, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

EXAMPLES = 5
NAMED = 3  # labels, groups or texts that a message names


@dataclass(frozen=True)
class Issue:
    """`level`: error (a score would be wrong), warning (read the score with care) or info.

    `examples`: ids of rows, labels or groups, at most five.
    """

    level: Literal["error", "warning", "info"]
    code: str
    message: str
    count: int
    examples: tuple[str, ...] = ()


def some(ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(ids[:EXAMPLES])


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def shown(label: str) -> str:
    """In quotes where one would not see what the label is."""
    return label if label and label == label.strip() and label.isprintable() else ascii(label)


def named(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED:,} more"
