"""What every way to read an answer does, until one says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from stratune.data.split import Split
    from stratune.longtext.aggregate import Aggregate
    from stratune.longtext.options import LongText
    from stratune.model.net import NetModel
    from stratune.net.net import Net
    from stratune.prompt.trial import Trial
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.train.precision import Precision
    from stratune.watch import Progress


class Readout:
    if TYPE_CHECKING:
        long: LongText

    def aggregate(self, task: Task) -> Aggregate | None:
        """How the answers of a document's chunks become its own; None: rows are whole texts."""
        from stratune.longtext.aggregate import Aggregate

        return Aggregate(self.long.aggregate, task.kind) if self.long.way == "chunk" else None

    def chunked(self, inner: Reader, tokenizer: Any, special: int) -> Reader:
        """`inner`, over chunks where this readout takes them."""
        from stratune.longtext.reader import ChunkReader

        return ChunkReader(inner, tokenizer, self.long, special) if self.long.in_chunks else inner

    @property
    def refuses_training(self) -> str | None:
        """Why weights cannot learn with this readout; None: they can."""
        return None

    def model(
        self, net: Net, device: torch.device, precision: Precision, micro_batch_tokens: int, reader: Reader
    ) -> NetModel:
        from stratune.model.chunks import ChunkModel
        from stratune.model.net import NetModel

        cls = ChunkModel if self.long.in_chunks else NetModel
        return cls(net, device, precision, micro_batch_tokens, reader)

    def finish(self, scorer: NetModel, split: Split, seed: int, progress: Progress) -> list[Trial]:
        """What is left to do once the weights have learned: nothing."""
        return []
