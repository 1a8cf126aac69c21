"""A backbone on a server: nothing of it is here but vectors of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from stratune.backbone.embed import Embed
from stratune.backbone.family import Family
from stratune.backbone.load import Backbone
from stratune.remote.embeddings import Embeddings
from stratune.remote.named import Servers
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import Server

FAMILY = Family("server", blocks=(), linears={})
ENDLESS = 2**31  # tokens: a server does not say how many it reads


@dataclass
class ServedBackbone(Backbone):
    """A backbone without blocks and tokenizer."""

    @property
    def width(self) -> int:
        assert self.embed is not None
        return self.embed.width

    @property
    def pad(self) -> int:
        return 0

    @property
    def max_length(self) -> int:
        return ENDLESS

    def sharing(self) -> Backbone:
        return self


def served_backbone(backbone_id: str, embed: Embed) -> ServedBackbone:
    """`embed.width` may be known later, before a net is built."""
    nothing: Any = nn.Module()
    no_tokenizer: Any = None
    return ServedBackbone(backbone_id, nothing, no_tokenizer, FAMILY, "", embed=embed)


def open_embeddings(
    address: str,
    servers: Servers,
    policy: RetryPolicy | None = None,
    *,
    extra: Mapping[str, Any] | None = None,
    dimensions: int | None = None,
    width: int = 0,
    price: tuple[float, float] | None = None,
    where: str = "backbone",
) -> Embeddings:
    """Sends nothing yet. Raises ConfigError as `Server.at`."""
    return Embeddings(Server.at(address, servers, policy, extra, where), dimensions, price, width)
