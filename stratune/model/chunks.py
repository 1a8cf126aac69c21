"""Documents answered from their chunks, and the chunks that decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.longtext.evidence import VARIANTS, all_but_one, most_important
from stratune.model.answers import Chunks, Scored, answered
from stratune.model.net import NetModel
from stratune.net.document_head import DocumentHead
from stratune.tokens.tokens import Documents
from stratune.train.feed import Feed
from stratune.train.infer import vectors
from stratune.watch import SILENT, Progress, Scaled

Floats = NDArray[np.float64]


@dataclass
class ChunkModel(NetModel):
    """Of a net that aggregates what chunks say, or that reads their vectors."""

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        tokens = self.reader.tokens(texts, pairs)
        documents = tokens.documents
        assert documents is not None
        told = Scaled(progress, documents.count, len(documents.owner))
        rows = self.feed(tokens, told)
        chunks = None
        if isinstance(self.net.head, DocumentHead):
            predictions, without = self._from_vectors(self.net.head, rows, documents, told)
        else:
            chunks = self._chunks(rows, documents, told)
            predictions, without = (
                chunks.joined(chunks.predictions),
                partial(_without, chunks, documents.edges),
            )
        objective = self.net.objective

        def read_without(document: int) -> Floats:
            return objective.predictions(without(document))

        evidence = most_important(
            objective.predictions(predictions), documents, read_without, objective.origin
        )
        more = {"evidence": evidence, "chunks": chunks, "saved_seconds": rows.saved_seconds}
        return answered(objective, predictions, tokens.cut_by_text, **more)

    def settle(self, chunks: Chunks, worth: Callable[[Floats], float]) -> None:
        """Choose how chunks are joined, by what the documents' answers are worth on validation."""
        self.net.aggregate = chunks.aggregate.tuned(chunks.predictions, chunks.owner, chunks.count, worth)

    def _chunks(self, rows: Feed, documents: Documents, progress: Progress) -> Chunks:
        """Where chunks are answered one by one."""
        predictions, aggregate = (
            self.net.objective.probabilities(self.logits(rows, progress)),
            self.net.aggregate,
        )
        assert aggregate is not None
        return Chunks(predictions, documents.owner, documents.count, aggregate)

    def _from_vectors(
        self, head: DocumentHead, rows: Feed, documents: Documents, progress: Progress
    ) -> tuple[Floats, Any]:
        """The same where a small model reads all chunks at once: each is encoded once only."""
        if rows.frozen is not None and rows.frozen.pooled is not None:
            found = torch.from_numpy(rows.frozen.pooled)
        else:
            how = (self.device, self.precision, self.micro_batch_tokens, progress)
            found = vectors(self.net, replace(rows, by_document=False), head.pool, *how)
        edges = documents.edges

        def predictions(made: list[NDArray[np.int64]]) -> Floats:
            """Of documents made of these chunks."""
            parts, start = [], 0
            while start < len(made):
                stop, room = start + 1, VARIANTS - len(made[start])
                while stop < len(made) and room >= len(made[stop]):
                    room -= len(made[stop])
                    stop += 1
                parts.append(self._classified(head, found, made[start:stop]))
                start = stop
            return self.net.objective.probabilities(np.concatenate(parts))

        def without(document: int) -> Floats:
            own = np.arange(edges[document], edges[document + 1])
            return predictions([own[rest] for rest in all_but_one(len(own))])

        return predictions([np.arange(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]), without

    def _classified(
        self, head: DocumentHead, found: torch.Tensor, rows: list[NDArray[np.int64]]
    ) -> NDArray[np.float32]:
        owner = torch.from_numpy(np.repeat(np.arange(len(rows)), [len(own) for own in rows]))
        chunks = found[torch.from_numpy(np.concatenate(rows))]
        with torch.inference_mode():
            logits = head.classify(chunks.to(self.device), owner.to(self.device), len(rows))
        return np.asarray(logits.float().cpu().numpy())


def _without(chunks: Chunks, edges: NDArray[np.int64], document: int) -> Floats:
    """What is said of a document without each of its chunks."""
    own = chunks.predictions[edges[document] : edges[document + 1]]
    owner = np.repeat(np.arange(len(own)), len(own) - 1)
    return chunks.aggregate(own[all_but_one(len(own)).ravel()], owner, len(own))
