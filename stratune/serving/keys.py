"""The key that requests have to bring. It is read from the environment, and never shown."""

from __future__ import annotations

import hmac
import os

from stratune.errors import ConfigError

BEARER = b"bearer "


class ApiKey:
    """Compared in a time that does not depend on how much of it is right."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def __repr__(self) -> str:  # a traceback that shows values shows this
        return "ApiKey(***)"

    def opens(self, authorization: bytes) -> bool:
        """`authorization`: the header `Authorization: Bearer KEY`, as it came."""
        named, key = authorization[: len(BEARER)], authorization[len(BEARER) :]
        return named.lower() == BEARER and hmac.compare_digest(key.strip(), self._key)


def key_from(variable: str) -> ApiKey:
    """The key in an environment variable. Raises ConfigError where there is none that a header could hold."""
    found = os.environ.get(variable, "").strip()
    if not found:
        raise ConfigError(f"the environment variable {variable} is not set, or empty", key="--api-key-env")
    if not (found.isascii() and found.isprintable()) or " " in found:
        raise ConfigError(f"{variable} holds a character that no key has", key="--api-key-env")
    return ApiKey(found)
