"""Where a remote model is: `http://127.0.0.1:8000/v1#model-name`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from stratune.errors import ConfigError

SCHEMES = ("http://", "https://")
EXPECTED = "expected http://HOST:PORT/v1#MODEL"


@dataclass(frozen=True)
class Address:
    url: str  # up to the endpoints, without a slash at the end: "http://127.0.0.1:8000/v1"
    model: str  # as the server names it


def is_remote(backbone_id: str) -> bool:
    return backbone_id.lower().startswith(SCHEMES)


def parse_address(backbone_id: str) -> Address:
    """Raises ConfigError for a string that is not an address, names no model, or holds a secret.

    A backbone's id is written to config.yaml and to reports. So an address may hold no user, password or
    query, and the message does not repeat them.
    """
    whole, _, model = backbone_id.partition("#")
    try:
        parts = urlsplit(whole)
        user, host, _ = parts.username, parts.hostname, parts.port  # a port that is no number raises
    except ValueError as error:
        raise _wrong(whole.split("?")[0].rpartition("@")[2], str(error)) from None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if user is not None:
        raise _wrong(shown, "a key or password does not belong in the address; set OPENAI_API_KEY")
    if parts.query or "?" in whole:
        raise _wrong(shown, "an address takes no `?...`; a key belongs in OPENAI_API_KEY")
    if not is_remote(whole) or not host:
        raise _wrong(backbone_id, "it is not the address of a server")
    if any(char.isspace() for char in backbone_id):
        raise _wrong(backbone_id, "an address has no white space")
    if not model:
        raise _wrong(shown, "it names no model")
    return Address(shown.rstrip("/"), model)


def _wrong(shown: str, why: str) -> ConfigError:
    return ConfigError(f"{shown!r}: {why}; {EXPECTED}", key="backbone")
