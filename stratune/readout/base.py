"""Readout: where the answer is read, and what every way to read it does until one says otherwise."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from stratune.longtext.options import LongText

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.backbone.load import Backbone
    from stratune.data.split import Split
    from stratune.longtext.aggregate import Aggregate
    from stratune.longtext.chunks import Chunker
    from stratune.model.base import Model
    from stratune.net.head import Head
    from stratune.net.net import Net
    from stratune.objective import Objective
    from stratune.prompt.trial import Trial
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.tokens.tokens import TextLimit
    from stratune.train.runtime import Runtime
    from stratune.watch import Progress


class Readout(ABC):
    """Options of a readout (a frozen dataclass), and what they make of a backbone and a task.

    `register_readout` makes it known.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    kind: ClassVar[str]  # the name it is registered under
    language_model: ClassVar[bool] = False  # whether it needs the LM head

    long: LongText = LongText()  # texts that are longer than the window

    def settings(self) -> dict[str, Any]:
        """Its options written out."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    def shared_with(self, other: type[Readout]) -> dict[str, Any]:
        """The options that stay when `other` takes its place: those that both have, if both ask a language
        model. Other kinds share none: an option of the same name means something else there.
        """
        if other is not type(self) and not (self.language_model and other.language_model):
            return {}
        known = {field.name for field in dataclasses.fields(other)}
        return {name: value for name, value in dataclasses.asdict(self).items() if name in known}

    @property
    def refuses_training(self) -> str | None:
        """Why weights cannot be trained with this readout; None: they can."""
        return None

    @property
    def shown_at_random(self) -> bool:
        """Whether a seed decides which training rows a prompt shows."""
        return False

    # -- what a run is made of

    @abstractmethod
    def head(self, backbone: Backbone, objective: Objective, seed: int) -> Head:
        """The module that makes logits of what the backbone computes."""

    @abstractmethod
    def objective(self, task: Task) -> Objective:
        """What training minimises, and what outputs mean. Raises UnsupportedError for a kind of task."""

    @abstractmethod
    def reader(self, backbone: Backbone, task: Task, limit: TextLimit, train: Dataset, seed: int) -> Reader:
        """Rows (or their chunks) as token ids. Demonstrations come from `train`."""

    @abstractmethod
    def restored(self, backbone: Backbone, task: Task, limit: TextLimit, state: Mapping[str, Any]) -> Reader:
        """The reader that a model folder describes."""

    @abstractmethod
    def answering(self, net: Net, runtime: Runtime, reader: Reader) -> Model:
        """The net as a model that answers whole texts, or chunks."""

    def finish(self, inner: Model, model: Model, split: Split, seed: int, progress: Progress) -> list[Trial]:
        """What is left to do once the weights are trained; `inner` answers the chunks of `model`'s texts."""
        return []

    # -- long texts

    def aggregate(self, task: Task) -> Aggregate | None:
        """How the predictions of a document's chunks become its own; None: rows are whole texts."""
        from stratune.longtext.aggregate import Aggregate

        return Aggregate(self.long.aggregate, task.target) if self.long.way == "chunk" else None

    def chunker(self, tokenizer: Any) -> Chunker | None:
        """What cuts documents where this readout takes chunks; without a tokenizer tokens are words."""
        from stratune.longtext.chunks import Chunker, tokens_by, words_as_tokens

        if not self.long.in_chunks:
            return None
        offsets = tokens_by(tokenizer) if tokenizer is not None else words_as_tokens
        return Chunker(self.long, offsets, self.special_tokens(tokenizer))

    def special_tokens(self, tokenizer: Any) -> int:
        """Tokens of a chunk that are not the text's."""
        return 0


def by_chunks(inner: Model, chunker: Chunker | None, aggregate: Aggregate | None) -> Model:
    """`inner` around which documents are cut and joined, where they are."""
    from stratune.model.chunks import ChunkModel

    if chunker is None or aggregate is None:
        return inner
    return ChunkModel(inner, chunker, aggregate)
