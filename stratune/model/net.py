"""A net and how to run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.model.answers import Scored, answered
from stratune.net.verbalizer import VerbalizerHead
from stratune.train.activations import feed
from stratune.train.feed import Feed
from stratune.train.infer import infer
from stratune.train.precision import Precision
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.net.net import Net
    from stratune.tokens.reader import Reader
    from stratune.tokens.tokens import TextLimit, Tokens


@dataclass
class NetModel:
    """A net and how to run it."""

    net: Net
    device: torch.device
    precision: Precision
    micro_batch_tokens: int
    reader: Reader
    # Keep the texts' vectors for whoever answers from the same frozen backbone.
    cached: bool = field(default=False, kw_only=True)

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        tokens = self.reader.tokens(texts, pairs)
        rows = self.feed(tokens, progress)
        predictions = self.net.objective.probabilities(self.logits(rows, progress))
        cut = np.asarray(tokens.cut)
        return answered(self.net.objective, predictions, cut, saved_seconds=rows.saved_seconds)

    def feed(self, tokens: Tokens, progress: Progress = SILENT) -> Feed:
        """What is answered from: with the vectors of a wholly frozen backbone, where they are kept."""
        if not self.cached or self.net.frozen_blocks() < len(self.net.backbone.blocks):
            return Feed(tokens, self.pad)
        return feed(
            self.net,
            tokens,
            device=self.device,
            precision=self.precision,
            micro_batch_tokens=self.micro_batch_tokens,
            progress=progress,
        )

    def logits(self, feed: Feed, progress: Progress = SILENT) -> NDArray[np.float32]:
        """(N, outputs) of the rows of a feed."""
        return infer(
            self.net,
            feed,
            device=self.device,
            precision=self.precision,
            micro_batch_tokens=self.micro_batch_tokens,
            progress=progress if feed.frozen is None else SILENT,  # the vectors were counted when made
        )

    def calibrate(self, bias: NDArray[np.float64], scale: float) -> None:
        """Of readout `words`: see LabelWords.calibrate."""
        assert isinstance(self.net.head, VerbalizerHead)
        self.net.head.calibrate(bias, scale)

    @property
    def limit(self) -> TextLimit:
        return self.reader.limit

    @property
    def pad(self) -> int:
        return int(self.net.backbone.tokenizer.pad_token_id)
