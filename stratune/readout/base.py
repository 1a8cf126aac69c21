"""Readout: base class of the ways to read predictions out of a backbone, with their defaults."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from stratune.longtext.options import LongText
from stratune.train.space import Space

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
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.tokens.tokens import TextLimit
    from stratune.train.runtime import Runtime
    from stratune.train.trial import Trial
    from stratune.watch import Progress


class Readout(ABC):
    """Options of a readout (a frozen dataclass), and what it builds for a backbone and a task.

    `register_readout` makes it known.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    kind: ClassVar[str]  # the name it is registered under
    space: ClassVar[Space] = {}  # options worth a trial
    language_model: ClassVar[bool] = False  # whether it needs the LM head
    stored: ClassVar[str | None] = None  # name of files in the model folder with what its reader knows
    needs_pairs: ClassVar[bool] = False  # whether it reads two texts in each row, and no single ones

    long: LongText = LongText()  # how texts longer than the context length are read

    def settings(self) -> dict[str, Any]:
        """Its options, all written out."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    def shared_with(self, other: type[Readout]) -> dict[str, Any]:
        """The options to keep when `other` replaces this readout: those that both have, if both prompt.

        Other readouts share none, as an option of the same name means something else there.
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
    def one_vector(self) -> bool:
        """Whether its head reads one vector of each text or chunk, so that it can be solved on them."""
        return False

    @property
    def shown_at_random(self) -> bool:
        """Whether demonstrations depend on the seed."""
        return False

    @property
    def shows_rows(self) -> bool:
        """Whether what it asks has training rows in it."""
        return False

    def on(self, backbone: Backbone) -> Self:
        """With what is found in the backbone's folder written out, where an option leaves it to that."""
        return self

    # -- parts of a run

    @abstractmethod
    def head(self, backbone: Backbone, objective: Objective, seed: int) -> Head:
        """The module that computes logits from the backbone's output."""

    @abstractmethod
    def objective(self, task: Task) -> Objective:
        """Loss, and how outputs become predictions. Raises UnsupportedError for a kind of task."""

    @abstractmethod
    def reader(self, backbone: Backbone, task: Task, limit: TextLimit, train: Dataset, seed: int) -> Reader:
        """Rows (or their chunks) as token ids. Demonstrations come from `train`."""

    @abstractmethod
    def restored(self, backbone: Backbone, task: Task, limit: TextLimit, state: Mapping[str, Any]) -> Reader:
        """The reader that a model folder stores: of the manifest's prompt, or of the files `stored`."""

    @abstractmethod
    def answering(self, net: Net, runtime: Runtime, reader: Reader) -> Model:
        """The net as a model of whole texts, or of chunks."""

    def finish(self, inner: Model, model: Model, split: Split, seed: int, progress: Progress) -> list[Trial]:
        """Choices on validation after training; `inner` predicts the chunks of `model`'s texts."""
        return []

    # -- long texts

    def aggregate(self, task: Task) -> Aggregate | None:
        """Joins the predictions of a document's chunks; None: rows are whole texts."""
        from stratune.longtext.aggregate import Aggregate

        return Aggregate(self.long.aggregate, task.target) if self.long.way == "chunk" else None

    def chunker(self, tokenizer: Any) -> Chunker | None:
        """Cuts documents into chunks; None: whole texts. Without a tokenizer, windows are in words."""
        from stratune.longtext.chunks import Chunker, tokens_by, words_as_tokens

        if not self.long.in_chunks:
            return None
        offsets = tokens_by(tokenizer) if tokenizer is not None else words_as_tokens
        return Chunker(self.long, offsets, self.special_tokens(tokenizer))

    def special_tokens(self, tokenizer: Any) -> int:
        """Special tokens of a chunk."""
        return 0


def by_chunks(inner: Model, chunker: Chunker | None, aggregate: Aggregate | None) -> Model:
    """A ChunkModel around `inner`, or `inner` itself for whole texts."""
    from stratune.model.chunks import ChunkModel

    if chunker is None or aggregate is None:
        return inner
    return ChunkModel(inner, chunker, aggregate)
