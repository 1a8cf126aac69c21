"""A net as a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stratune.model.answers import Scored, answered
from stratune.model.base import Floats, Model
from stratune.model.net_files import write_net
from stratune.train.activations import feed
from stratune.train.feed import Feed
from stratune.train.infer import infer
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.net.net import Net
    from stratune.tokens.reader import Reader
    from stratune.tokens.tokens import TextLimit, Tokens
    from stratune.train.runtime import Runtime


@dataclass
class NetModel(Model):
    """`reader` tokenises rows; `cached`: pooled vectors of a frozen backbone are cached."""

    kind: ClassVar[str] = "net"
    cannot_export: ClassVar[str | None] = None
    cannot_graph: ClassVar[str | None] = None

    net: Net
    runtime: Runtime
    reader: Reader
    cached: bool = field(default=False, kw_only=True)

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        tokens = self.reader.tokens(texts, pairs, progress=progress)
        rows = self.feed(tokens, progress)
        probabilities = self.net.objective.probabilities(self.logits(rows, progress))
        why, invalid = tokens.why_absent, None
        if why is not None:
            invalid = np.array([bool(one) for one in why], dtype=bool)
            probabilities[invalid] = np.nan
        more = {"invalid": invalid, "why": why, "saved_seconds": rows.saved_seconds}
        return answered(self, probabilities, tokens.cut_by_text, **more)

    def feed(self, tokens: Tokens, progress: Progress = SILENT) -> Feed:
        """Batches of tokens, or the cached vectors of a wholly frozen backbone."""
        if not self.cached or self.net.frozen_blocks() < len(self.net.backbone.blocks):
            return Feed(tokens, self.pad, by_document=self.net.head.by_document)
        return feed(self.net, tokens, self.runtime, progress=progress)

    def logits(self, feed: Feed, progress: Progress = SILENT) -> NDArray[np.float32]:
        """(N, outputs) of the rows of a feed."""
        # Rows were reported while the vectors were computed
        counted = feed.frozen is not None or feed.tokens.embedded is not None
        return infer(self.net, feed, self.runtime, progress=SILENT if counted else progress)

    def write(self, folder: Path) -> dict[str, Any]:
        write_net(self.net, folder)
        embed = self.net.backbone.embed
        return {
            "limit": asdict(self.limit),
            "objective": self.net.objective.state(),
            "precision": self.runtime.precision,
            **({} if embed is None else embed.state()),
        }

    def outputs(self, texts: Sequence[str], pairs: Sequence[str] | None) -> NDArray[Any]:
        tokens = self.reader.tokens(texts, pairs)
        return self.logits(Feed(tokens, self.pad, by_document=self.net.head.by_document))

    def interpretation(self) -> Any:
        return self.net.objective

    def predictions_of(self, probabilities: Floats) -> Floats:
        return self.net.objective.predictions(probabilities)

    def notes(self) -> list[str]:
        return self.reader.notes()

    def remarks(self) -> list[str]:
        embed = self.net.backbone.embed
        return [] if embed is None else embed.remarks()

    @property
    def paid(self) -> bool:  # type: ignore[override]
        return self.net.backbone.embed is not None

    @property
    def origin(self) -> float | None:
        return self.net.objective.origin

    @property
    def device(self) -> str | None:
        return str(self.runtime.device)

    @property
    def precision(self) -> str | None:
        return self.runtime.precision

    def caching(self) -> Self:
        return replace(self, cached=True)

    def trainable(self) -> dict[str, Tensor]:
        return dict(self.net.trainable())

    @property
    def limit(self) -> TextLimit:
        return self.reader.limit

    @property
    def pad(self) -> int:
        return self.net.backbone.pad
