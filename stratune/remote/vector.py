"""Reading and storing vectors: lists of numbers or base64, in any order, in one response for many texts."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratune.remote.response import usage_of

Vector = NDArray[np.float32]  # (C,)
NUMBERS = np.dtype("<f4")  # of what is encoded as base64


def in_order(response: Mapping[str, Any], count: int) -> list[Any]:
    """What a response holds for each of `count` texts, in their order. Raises ValueError where it does not
    say which is whose.
    """
    entries = response["data"]
    if len(entries) != count or not all(isinstance(one, dict) for one in entries):
        raise ValueError(f"it answered {count} texts with {len(entries)} vectors")
    places = [one.get("index") for one in entries]
    if all(place is None for place in places):
        return [one.get("embedding") for one in entries]
    if any(isinstance(place, bool) or not isinstance(place, int) for place in places):
        raise ValueError("the `index` of a vector is no number")
    if sorted(places) != list(range(count)):
        raise ValueError(f"its vectors have the `index` {places[:4]}, which are not those of {count} texts")
    by_place = dict(zip(places, entries, strict=True))
    return [by_place[place].get("embedding") for place in range(count)]


def vector_of(given: Any) -> Vector:
    """Raises ValueError for what is no vector of finite numbers."""
    if isinstance(given, str):
        try:
            found = np.frombuffer(b64decode(given, validate=True), NUMBERS).astype(np.float32)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"its vector is no base64 of numbers ({error})") from None
    else:
        if isinstance(given, list) and given and isinstance(given[0], list):  # llama.cpp without pooling
            raise ValueError(
                "a vector of each token, none of the text: the server has to pool (--pooling mean)"
            )
        if not isinstance(given, list) or not all(map(_is_number, given)):
            raise ValueError("its vector is no list of numbers")
        with np.errstate(over="ignore"):
            found = np.array(given, dtype=np.float64).astype(np.float32)
    if not len(found):
        raise ValueError("its vector is empty")
    if not np.isfinite(found).all():
        raise ValueError("its vector holds NaN or infinite numbers")
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def stored(vector: Vector, tokens: int, cut: int) -> dict[str, Any]:
    """A response about one text, as small as it can be. `cut`: words that the server had no room for."""
    found: dict[str, Any] = {"data": [{"embedding": b64encode(vector.astype(NUMBERS).tobytes()).decode()}]}
    found |= {"usage": {"prompt_tokens": tokens}} if tokens else {}
    return found | ({"cut": cut} if cut else {})


def tokens_of(response: Mapping[str, Any], texts: Sequence[str]) -> list[int]:
    """Of each text, where the server counted those of all: as many as its share of the characters."""
    lengths = np.array([len(text) + 1 for text in texts], dtype=np.float64)
    edges = np.rint(np.cumsum(lengths) / lengths.sum() * usage_of(response).prompt)
    return [int(one) for one in np.diff(edges, prepend=0.0)]
