"""Fitting a head on vectors that a server makes: a frozen backbone of which nothing else is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stratune.backbone.embed import Embedded
from stratune.data.rows import text_columns
from stratune.errors import RemoteError, UnsupportedError
from stratune.fitting.local import NetFitting
from stratune.longtext.reader import ChunkReader
from stratune.readout.head import Head
from stratune.remote.estimate import Estimate, estimate, in_words
from stratune.remote.reader import NO_TOKENS
from stratune.remote.served import ServedBackbone, open_embeddings, served_backbone
from stratune.remote.server import ALL_REFUSED
from stratune.tokens.tokens import TextLimit
from stratune.train.processes import is_main

if TYPE_CHECKING:
    from pathlib import Path

    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.fitting.trained import Trained
    from stratune.remote.embeddings import Embeddings
    from stratune.remote.named import Servers
    from stratune.remote.retry_policy import RetryPolicy
    from stratune.remote.settings import Remote
    from stratune.strategy import Strategy
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.train.settings import Budget, TrainSettings
    from stratune.watch import Progress


@dataclass
class VectorFitting:
    """`strategy` on the vectors of the server at `address`. Nothing is sent before `ask_one` or `run`.

    Raises UnsupportedError for a strategy that would train, ConfigError for a server that is not named.
    """

    strategy: Strategy
    address: str
    split: Split
    settings: TrainSettings
    remote: Remote
    servers: Servers
    policy: RetryPolicy | None = None  # None: that of `remote`
    embed: Embeddings = field(init=False)
    backbone: ServedBackbone = field(init=False)

    def __post_init__(self) -> None:
        readout, name = self.strategy.readout, self.strategy.name
        if self.strategy.trains or not readout.one_vector:
            why = "a server's weights cannot be trained; use probe, knn, centroid, label_names or features"
            raise UnsupportedError(name, self.address, f"{why}; to prompt its model, zero_shot or few_shot")
        self.embed = open_embeddings(
            self.address,
            self.servers,
            self.policy or self.remote.retry_policy(),
            extra=self.remote.extra,
            dimensions=self.remote.dimensions,
            price=self.remote.price,
        )
        self.backbone = served_backbone(self.address, self.embed)
        self.strategy = replace(self.strategy, readout=readout.on(self.backbone))

    def ask_one(self) -> None:
        """About the first training text that is answered. Raises RemoteError where none of the first is."""
        few = self.split.train.select(range(min(ALL_REFUSED, len(self.split.train))))
        asked = self._asked(few)
        self.embed.begin(asked.texts, asked.prompt)

    def run(self, task: Task, budget: Budget, seed: int, work: Path | None, progress: Progress) -> Trained:
        """The head, solved. Raises RemoteError where the server does not answer, or costs too much."""
        self.ask_one()
        expected = self._expected()
        said, most = f"asks {in_words(expected, 'texts')}", self.remote.max_cost
        progress.note(said)
        if most is not None and expected.cost is not None and expected.cost > most:
            raise RemoteError(f"{said}: more than remote.max_cost, {most:,.2f}; one text was asked about")
        trained = NetFitting(
            self.strategy, self.backbone, task, self.split, budget, seed, self.settings, work, progress
        ).run()
        trained.predictor.servers = self.servers
        trained.is_main_process = is_main()
        trained.total_params, trained.price = None, expected.cost
        tokens = [NO_TOKENS] if self.settings.max_length is not None else []
        trained.notes = [said, *tokens, *trained.notes]
        return trained

    def _expected(self) -> Estimate:
        """Of the vectors of all parts that are not stored."""
        train = [self.split.train] if self.strategy.solved else []
        asked = self._asked(*train, self.split.val, self.split.test)
        bodies = self.embed.bodies(asked.texts, asked.prompt)
        at_once = self.embed.server.retry_policy.batch
        return estimate(self.embed.server, bodies, self.remote.price, at_once)

    def _asked(self, *tables: Dataset) -> _Listed:
        """The texts that are asked about for the rows of these tables, and the prompt before them."""
        listed = _Listed()
        readout = cast("Head", self.strategy.readout)
        limit = TextLimit(self.settings.max_length, self.settings.max_words)
        reader: Reader = readout.text_reader(replace(self.backbone, embed=listed), limit)
        if (chunker := readout.chunker(None)) is not None:
            reader = ChunkReader(reader, chunker)
        for table in tables:
            reader.tokens(*text_columns(table))
        return listed


@dataclass
class _Listed:
    """Lists what would be asked, and asks nothing: an Embed (backbone/embed.py)."""

    texts: list[str] = field(default_factory=list)
    prompt: str = ""
    width: int = 1

    def __call__(self, texts: Sequence[str], prompt: str, progress: Progress) -> Embedded:
        self.texts += texts
        self.prompt = prompt
        count = len(texts)
        return Embedded(np.zeros((count, 1), np.float32), [""] * count, np.zeros(count, np.int32))

    def state(self) -> dict[str, Any]:
        return {}

    def remarks(self) -> list[str]:
        return []
