"""Where a remote model is: `http://127.0.0.1:8000/v1#model-name`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from stratune.errors import ConfigError

SCHEMES = ("http://", "https://")
ELSEWHERE = "a key belongs in OPENAI_API_KEY"
# Names of what is secret, with a value; and how keys of well-known services begin.
SECRET = re.compile(
    r"(?:key|token|secret|passw(?:or)?d|pwd|auth\w*|bearer)\s*="
    r"|(?<![A-Za-z0-9])(?:sk-|hf_|gsk_|ghp_|xai-|AIza)[\w-]{8}",
    re.IGNORECASE,
)
EXPECTED = "expected http://HOST:PORT/v1#MODEL"


@dataclass(frozen=True)
class Address:
    url: str  # up to the endpoints, without a slash at the end: "http://127.0.0.1:8000/v1"
    model: str  # as the server names it


def is_remote(backbone_id: str) -> bool:
    return backbone_id.lower().startswith(SCHEMES)


def parse_address(backbone_id: str) -> Address:
    """Raises ConfigError for a string that is not an address, names no model, or holds a secret.

    A backbone's id is written to config.yaml and to reports. So an address may hold no user, password, query
    or key, and the message does not repeat them.
    """
    url = base_url(backbone_id)
    model = backbone_id.partition("#")[2]
    if not model:
        raise _wrong(url, "it names no model")
    return Address(url, model)


def base_url(address: str) -> str:
    """An address up to the endpoints, with or without a model. Raises ConfigError as `parse_address` does."""
    whole, _, model = address.partition("#")
    scheme = address.partition("://")[0]
    if "@" in address:
        behind = address.rpartition("@")[2] if "@" in whole else ""
        shown = f"{scheme}://{re.split('[?#]', behind)[0]}"
        raise _wrong(shown, f"a key or password does not belong in the address; {ELSEWHERE}")
    try:
        parts = urlsplit(whole)
        host = parts.hostname
    except ValueError:
        raise _wrong(f"{scheme}://", "it is not the address of a server") from None
    try:
        parts.port  # noqa: B018  it raises an error where it is no number
    except ValueError:
        raise _wrong(f"{scheme}://{host}", "its port is no number up to 65535") from None
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if "?" in whole:
        raise _wrong(shown, f"an address takes no `?...`; {ELSEWHERE}")
    if SECRET.search(unquote(parts.path)):
        raise _wrong(f"{parts.scheme}://{host}", f"its path holds a key or password; {ELSEWHERE}")
    if not is_remote(whole) or not host:
        raise _wrong(shown if parts.scheme else address, "it is not the address of a server")
    if any(char.isspace() for char in address):
        raise _wrong(shown, "an address has no white space")
    shown = shown.rstrip("/")
    if SECRET.search(unquote(model)) or any(mark in model for mark in "?&=#"):
        raise _wrong(shown, f"after # comes a model's name, and no key or password; {ELSEWHERE}")
    return shown


def _wrong(shown: str, why: str) -> ConfigError:
    return ConfigError(f"{shown!r}: {why}; {EXPECTED}", key="backbone")
