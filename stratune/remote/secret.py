"""The key of a server, and the one place where it is taken out of what the server says."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
SHORT = 8  # a shorter key is masked only where it stands as a word: it may be a part of others
# What servers that want no key are given. They are no secrets, and may be words of an answer.
PLACEHOLDERS = ("none", "empty", "dummy", "test", "local", "token", "key", "no-key", "sk-no-key-required")


class Secret:
    """A key. `masked` replaces it in a text or in parsed JSON: as it is, URL-encoded, in base64, in hex."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __bool__(self) -> bool:
        return bool(self._key)

    def __repr__(self) -> str:  # a traceback that shows values shows this
        return f"Secret({MASK if self._key else ''})"

    def masked(self, value: Any) -> Any:
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(MASK, value)
        if isinstance(value, list):
            return [self.masked(one) for one in value]
        if isinstance(value, dict):
            return {self.masked(key): self.masked(one) for key, one in value.items()}
        return value

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        key = self._key
        if not key or key.lower() in PLACEHOLDERS:
            return None
        forms = {
            re.escape(form) for form in (key, quote(key, safe=""), quote_plus(key), key.replace("/", r"\/"))
        }
        if len(key) < SHORT:
            forms = {rf"(?<![A-Za-z0-9]){form}(?![A-Za-z0-9])" for form in forms}
        else:
            forms |= {re.escape(form) for form in (*_in_base64(key.encode()), key.encode().hex())}
        longest_first = sorted(forms, key=len, reverse=True)
        return re.compile("|".join(longest_first), re.IGNORECASE)


def _in_base64(key: bytes) -> list[str]:
    """What stands in base64 for the key wherever it begins in a longer text: three ways, by its place.

    The first and last characters depend on the neighbours and are left off.
    """
    found = []
    for before in range(3):
        text = b64encode(b"\0" * before + key).decode().rstrip("=")
        start = -(-before * 4 // 3)
        end = (before + len(key)) * 8 // 6  # whole sextets
        found += [text[start:end], text[start:end].replace("+", "-").replace("/", "_")]
    return found
