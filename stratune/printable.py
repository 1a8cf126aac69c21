"""Foreign text on one line of a terminal, a page or a log: nothing in it can move a cursor, break a line or
reverse what stands beside it.
"""

from __future__ import annotations

import re

# C0 and C1 controls (line feeds, escape codes), line and paragraph separators, marks that turn the direction
# of writing, halves of characters, and what XML cannot hold.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+"
)


def printable(text: object) -> str:
    """On one line, what cannot be printed as one blank."""
    return _UNPRINTABLE.sub(" ", str(text)).strip()


def escaped(line: str) -> str:
    """The unprintable in a line written as \\uXXXX, which JSON reads as the same text."""
    return _UNPRINTABLE.sub(lambda found: "".join(f"\\u{ord(one):04x}" for one in found[0]), line)


def shortened(text: object, width: int) -> str:
    """On one line, cut to `width` characters with an ellipsis."""
    line = printable(str(text)[: 4 * width])  # what is far longer is not looked through
    return line if len(line) <= width and len(str(text)) <= 4 * width else line[: width - 1].rstrip() + "…"


def middle_cut(text: object, width: int) -> str:
    """On one line of at most `width` characters, cut in the middle: a message ends in what to do."""
    whole = str(text)
    head, tail = width * 3 // 4, width - width * 3 // 4 - 3
    if len(whole) > 4 * width:
        whole = f"{whole[: 2 * width]}{whole[-2 * width :]}"
        line = printable(whole)
        return f"{line[:head].rstrip()} … {line[-tail:].lstrip()}"
    line = printable(whole)
    return line if len(line) <= width else f"{line[:head].rstrip()} … {line[-tail:].lstrip()}"
