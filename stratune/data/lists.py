"""Lists that were written as text: JSON's (["a", "b"]), Python's (['a', 'b']) and numpy's (['a' 'b'])."""

from __future__ import annotations

import json
import re
from typing import Any

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_BARE = r"""[^\s'",\[\](){}][^,\[\](){}'"]*"""
# An item and what ends it: a comma, the next quote (numpy writes no commas), or the end.
_ITEM = re.compile(rf"""\s*({_QUOTED}|{_BARE})\s*(?:,\s*|(?=['"])|$)""", re.DOTALL)
_CLOSING = {"[": "]", "(": ")", "{": "}"}
_NOTHING = {"none", "nan", "null", "<na>"}


def listed(cell: str) -> list[Any] | None:
    """The items of a list, tuple or set that was written as text; None where it is other text.

    An item that stands for nothing (None, nan, null without quotes) is None.
    """
    text = cell.strip()
    if text == "set()":
        return []
    if len(text) < 2 or _CLOSING.get(text[0]) != text[-1]:
        return None
    if text[0] == "[":
        try:
            loaded = json.loads(text)
        except (ValueError, RecursionError):
            loaded = None
        if isinstance(loaded, list):
            return loaded
    found = _items(text[1:-1].strip())
    return found if text[0] == "[" or "'" in text or '"' in text else None  # (sic) is no list


def quoted(cell: str) -> bool:
    """Whether a cell is surely a list: an empty one, or one with quotes."""
    found = listed(cell)
    return found is not None and (not found or "'" in cell or '"' in cell)


def _items(inside: str) -> list[Any] | None:
    found: list[Any] = []
    place = 0
    while place < len(inside):
        match = _ITEM.match(inside, place)
        if match is None:
            return None
        found.append(_item(match[1]))
        place = match.end()
    return found


def _item(word: str) -> str | None:
    if word[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    return None if word.strip().lower() in _NOTHING else word.strip()
