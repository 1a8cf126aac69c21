"""The servers that the user named, and which environment variable holds the key of each.

A key belongs to an address: $STRATUNE_KEYS says which ("URL=VARIABLE,URL=VARIABLE"). Without it
$OPENAI_API_KEY goes to OpenAI, and to another host only where no second one is named beside it. An address in
a model folder is not one that the user named: somebody else may have written it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from stratune.errors import ConfigError
from stratune.remote.address import base_url, is_remote

KEY = "OPENAI_API_KEY"
KEYS = "STRATUNE_KEYS"
OPENAI = "https://api.openai.com"
NO_KEY = ""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Servers:
    """`keys`: address up to the endpoints -> the variable that holds its key (NO_KEY: it gets none)."""

    keys: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.keys)

    def variable(self, url: str, where: str) -> str:
        """The variable with the key of a server. Raises ConfigError, which says how to name a server, for one
        that the user did not name; `where` is what did.
        """
        url = canonical(url)
        if url not in self.keys:
            why = "its model is on a server, which would get your texts; if you trust it"
            raise ConfigError(f"{where}: {why}: --allow-server {url} (in Python allow_server={url!r})")
        return self.keys[url]


def named_servers(addresses: Iterable[str | None] = ()) -> Servers:
    """The servers among backbones' ids, or addresses without a model, and those of $STRATUNE_KEYS.

    Raises ConfigError for what is not the address of a server.
    """
    urls = {canonical(base_url(one)) for one in addresses if one is not None and is_remote(one)}
    own = keys_of_environment()
    alone = len({origin(url) for url in urls}) == 1
    usual = {url: KEY if alone or origin(url) == OPENAI else NO_KEY for url in sorted(urls)}
    return Servers({**usual, **own})


def allowed_servers(addresses: str | Sequence[str] | Servers) -> Servers:
    """`allow_server`: one address or several. Raises ConfigError for what is none."""
    if isinstance(addresses, Servers):
        return addresses
    given = [addresses] if isinstance(addresses, str) else list(addresses)
    for one in given:
        if not is_remote(one):
            raise ConfigError(
                f"{one!r} is not the address of a server, as http://HOST:PORT/v1", key="allow_server"
            )
    return named_servers(given)


def keys_of_environment() -> dict[str, str]:
    """$STRATUNE_KEYS: address -> variable. Its mistakes are not repeated: somebody may put a key there."""
    found = {}
    for number, entry in enumerate(filter(str.strip, os.environ.get(KEYS, "").split(",")), start=1):
        url, equals, variable = (part.strip() for part in entry.rpartition("="))
        if not equals or not is_remote(url) or (variable and not VARIABLE.fullmatch(variable)):
            raise ConfigError(f"entry {number} is not URL=NAME_OF_A_VARIABLE", key=KEYS)
        found[canonical(base_url(url))] = variable
    return found


def canonical(url: str) -> str:
    """One spelling of an address: small letters in the host, no port where it is the usual one."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return f"{parts.scheme}://{host}{port}{parts.path}".rstrip("/")


def origin(url: str) -> str:
    """Scheme, host and port: who gets what is sent to an address."""
    parts = urlsplit(canonical(url))
    return f"{parts.scheme}://{parts.netloc}"
