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


def numbers_of_texts(texts: Sequence[str], pairs: Sequence[str] | None = None) -> list[int]:
    """(N,) whole numbers, equal for the same text; numbered in the order in which texts first occur."""
    first: dict[bytes, int] = {}
    return [first.setdefault(key, len(first)) for key in text_keys(texts, pairs)]


def linked_groups(groups: Sequence[str], texts: Sequence[int]) -> list[str]:
    """(N,) groups, those that share a text joined into one, which has the name of the first of them."""
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    owner: dict[int, str] = {}
    for group, text in zip(groups, texts, strict=True):
        one, other = sorted((root(group), root(owner.setdefault(text, group))))
        parent[other] = one
    return [root(group) for group in groups]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
