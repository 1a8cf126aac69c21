"""When two texts are the same text: equal after Unicode NFC, with white space collapsed and case folded."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence


def normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def text_keys(texts: Sequence[str], pairs: Sequence[str] | None = None) -> list[bytes]:
    """16 bytes for each row, equal for the same text (or the same pair, in this order)."""
    if pairs is None:
        return [_digest(normal(text)) for text in texts]
    return [_digest(f"{normal(text)}\0{normal(pair)}") for text, pair in zip(texts, pairs, strict=True)]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
