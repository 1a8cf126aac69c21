"""A net whose head compares the vectors of two texts that are encoded apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stratune.model.base import INSTEAD
from stratune.model.net import NetModel
from stratune.tokens.tokens import Tokens
from stratune.train.feed import Feed
from stratune.watch import SILENT, Progress, Scaled


@dataclass
class TwoTowerModel(NetModel):
    """Its model folder is that of any net: the readout in the manifest says how pairs are read."""

    cannot_export: ClassVar[str | None] = (
        f"it encodes the two texts of a pair apart, which no class of transformers does; {INSTEAD}"
    )

    def feed(self, tokens: Tokens, progress: Progress = SILENT) -> Feed:
        assert tokens.documents is not None
        return super().feed(tokens, Scaled(progress, tokens.documents.count, len(tokens)))
