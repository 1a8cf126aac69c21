"""Mending a text after something was taken out of it."""

from __future__ import annotations

import re

_BLANKS = re.compile(r"[ \t]{2,}")
_BEFORE_MARK = re.compile(r"[ \t](?=[,?!;:]|\.(?!\.))")
_DASHES = re.compile(r"([—–]|--)(?:\s+\1)+")
_WORD = re.compile(r"\w")


def tidy(text: str) -> str:
    """Without double blanks and dashes, and without blanks before a mark; "" where no word is left."""
    if _WORD.search(text) is None:
        return ""
    return _BEFORE_MARK.sub("", _BLANKS.sub(" ", _DASHES.sub(r"\1", text))).strip()
