"""Court files: numbers of lines, heads and feet of pages, before anything else is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

NUMBERED = 0.5  # of the lines with text begin with a number that is one more than the one before, or 1 or 2
LEAST_LINES = 5

_NUMBER = re.compile(r"\s{0,12}(\d{1,4})(?:\s+(\S.*)|\s*)$")
_PAGE = re.compile(
    r"\s*(?:page\s+\d{1,5}(?:\s+of\s+\d{1,5})?|-+\s?\d{1,5}\s?-+|\[\s?\d{1,5}\s?\]|\d{1,5})\s*", re.IGNORECASE
)


def without_page_frames(lines: Sequence[str]) -> tuple[list[str], int]:
    """(the lines without numbers and page heads, how many lines were left out)."""
    lines = [part for line in lines for part in _pages(line)]
    numbers = [_numbered(line) for line in lines]
    if not _are_counted(lines, numbers):
        kept = [line for line in lines if not _PAGE.fullmatch(line) or line.strip().isdigit()]
        return (kept, len(lines) - len(kept)) if len(lines) - len(kept) > 1 else (list(lines), 0)
    pages = sum(number == 1 for number in numbers) > 1
    kept, left_out, coming = [], 0, 1  # from the end: the number of the line below
    for line, number in zip(reversed(lines), reversed(numbers), strict=True):
        if number is not None:
            kept.append(_NUMBER.sub(lambda found: found.group(2) or "", line))
            coming = number
        elif line.strip() and ((pages and coming <= 2) or _PAGE.fullmatch(line)):
            left_out += 1  # above or below the numbered lines of a page
        else:
            kept.append(line)
    kept.reverse()
    # Double-spaced pages: a number without text between every two lines ends no turn.
    texts = [line for line in kept if line.strip()]
    return (texts if len(texts) < len(kept) * 2 / 3 else kept), left_out


def _pages(line: str) -> list[str]:
    """The line; a form feed before or after it begins a page."""
    bare = line.strip("\f")
    return [line] if bare == line else [bare] if bare.strip() else []


def _numbered(line: str) -> int | None:
    found = _NUMBER.match(line)
    return int(found.group(1)) if found is not None else None


def _are_counted(lines: Sequence[str], numbers: Sequence[int | None]) -> bool:
    """Whether the numbers count lines: each is one more than the one before it, or a page begins."""
    known = [number for number in numbers if number is not None]
    texts = sum(bool(line.strip()) for line in lines)
    if len(known) < max(LEAST_LINES, NUMBERED * texts):
        return False
    rising = sum(after == before + 1 or after <= 2 for before, after in pairwise(known))
    ones = sum(number == 1 for number in known)
    return rising >= 0.9 * (len(known) - 1) and ones <= len(known) / LEAST_LINES
