"""Readout `head`: pool the hidden states by mask, normalise, one linear layer.

Pooling uses the mask, never positions, so padding side and batch size change nothing. The LayerNorm (without
weights) makes one learning rate suit every backbone. It also lets `export --to hf` put the head into the
family's own classification class, mean pooling included (see export/norm_block.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from stratune.errors import ConfigError, UnsupportedError, choices
from stratune.longtext.options import LongText
from stratune.readout.base import Readout
from stratune.readout.registry import register_readout
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datasets import Dataset

    from stratune.backbone.load import Backbone
    from stratune.model.net import NetModel
    from stratune.net.head import Head as NetHead
    from stratune.net.net import Net
    from stratune.objective import Objective
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.tokens.tokens import TextLimit
    from stratune.train.runtime import Runtime

POOLS = ("auto", "first", "mean", "last")


@register_readout("head")
@dataclass(frozen=True)
class Head(Readout):
    """Options of the head; `auto`: the pooling of the backbone's folder, else of its family."""

    space: ClassVar[Space] = {"dropout": Choice(0.0, 0.1, 0.2)}

    pool: Literal["auto", "first", "mean", "last"] = "auto"
    norm: bool | None = None  # None: the family's choice
    dropout: float = 0.1
    loss: str = "auto"  # one of the target's: those of the kind of task
    # Stands before each text, as embedding models are trained ("query: "). None: what `prompt_name` names
    prompt: str | None = None
    prompt_name: str | None = None  # of the prompts in the backbone's folder; None: its default one, if any
    long: LongText = LongText()  # texts that are longer than the window

    def __post_init__(self) -> None:
        if self.pool not in POOLS:
            raise ConfigError(choices(self.pool, POOLS), key="readout.pool")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"{self.dropout} is not from 0 up to 1", key="readout.dropout")

    @property
    def one_vector(self) -> bool:
        return self.long.way != "hierarchical"

    def on(self, backbone: Backbone) -> Self:
        prompt = backbone.sentence.prompt(self.prompt_name) if self.prompt is None else self.prompt
        if prompt and not backbone.sentence.pools_prompt:
            why = "its prompt is left out of the mean, which is not done here; use `prompt: ''`"
            raise UnsupportedError(f"the prompt {prompt!r}", backbone.id, why)
        return replace(self, prompt=prompt) if prompt else self

    def head(self, backbone: Backbone, objective: Objective, seed: int) -> NetHead:
        from stratune.net.document_head import DocumentHead
        from stratune.net.linear_head import OrderedCuts
        from stratune.net.pooled_head import PooledHead

        pool = backbone.pool if self.pool == "auto" else self.pool
        norm = backbone.family.head_norm if self.norm is None else self.norm
        # Decoders' own classification classes have no bias. Ours has none either, so that export is exact.
        bias = not backbone.family.decoder or not objective.softmax
        ordered = objective.ordered_cuts
        if self.long.way == "hierarchical":
            last = OrderedCuts(objective.outputs) if ordered else None
            return DocumentHead(pool, backbone.width, objective.outputs, self.long.model, self.dropout, last)
        return PooledHead(pool, backbone.width, objective.outputs, norm, self.dropout, bias, seed, ordered)

    def objective(self, task: Task) -> Objective:
        return task.target.objective(self.loss)

    def reader(self, backbone: Backbone, task: Task, limit: TextLimit, train: Dataset, seed: int) -> Reader:
        """Texts as they are, or their chunks; independent of task, training rows and seed."""
        return self.text_reader(backbone, limit)

    def restored(self, backbone: Backbone, task: Task, limit: TextLimit, state: Mapping[str, Any]) -> Reader:
        return self.text_reader(backbone, limit)

    def text_reader(self, backbone: Backbone, limit: TextLimit) -> Reader:
        """What reads the texts, or each chunk, for the backbone."""
        from stratune.tokens.reader import TextReader
        from stratune.tokens.tokens import tokens_in

        limit = replace(limit, keep=self.long.keep if self.long.way == "truncate" else "head")
        if self.long.way == "long":
            limit = replace(limit, max_length=backbone.max_length)
        if self.long.in_chunks:
            limit = replace(limit, max_length=self.long.window)
        prompt = self.prompt or ""
        if prompt and backbone.embed is None:
            most, count = limit.tokens(backbone), tokens_in(backbone.tokenizer, prompt)
            if count > most // 2:
                why = f"its {count} tokens leave little of {most} for the text"
                raise ConfigError(f"{prompt!r}: {why}", key="readout.prompt")
        return TextReader(backbone, limit, prompt)

    def answering(self, net: Net, runtime: Runtime, reader: Reader) -> NetModel:
        from stratune.longtext.reader import ChunkReader
        from stratune.model.documents import DocumentModel
        from stratune.model.net import NetModel

        if self.long.way == "hierarchical":
            chunker = self.chunker(net.backbone.tokenizer)
            assert chunker is not None
            return DocumentModel(net, runtime, ChunkReader(reader, chunker))
        return NetModel(net, runtime, reader)

    def special_tokens(self, tokenizer: Any) -> int:
        """Those of a prompt count, too. Without a tokenizer, lengths are in words."""
        from stratune.tokens.tokens import tokens_in

        if tokenizer is None:
            return 0
        return int(tokenizer.num_special_tokens_to_add()) + tokens_in(tokenizer, self.prompt or "")
