"""A net with a document head, which reads the vectors of all chunks of a document at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.longtext.evidence import VARIANTS, courses
from stratune.model.answers import Scored, answered
from stratune.model.base import INSTEAD, Floats
from stratune.model.net import NetModel
from stratune.net.document_head import DocumentHead
from stratune.tokens.tokens import Documents
from stratune.train.feed import Feed
from stratune.train.infer import vectors
from stratune.watch import SILENT, Progress, Scaled

Rows = NDArray[np.int64]  # chunks by number
INTERPRETED = tuple[Floats, Callable[[int, list[Rows]], Floats]]


@dataclass
class DocumentModel(NetModel):
    """Each chunk is encoded once. The head runs again without each chunk in turn, and up to each."""

    kind: ClassVar[str] = "documents"
    cannot_export = f"its head reads all chunks of a text, and a folder would read the first; {INSTEAD}"
    cannot_graph = cannot_export

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        tokens = self.reader.tokens(texts, pairs)
        documents = tokens.documents
        assert documents is not None
        by_document = Scaled(progress, documents.count, len(documents.owner))
        rows = self.feed(tokens, by_document)
        predictions, of_chunks = self._from_vectors(rows, documents, by_document)
        objective = self.net.objective
        found = courses(
            objective.predictions(predictions),
            documents,
            lambda document, made: objective.predictions(of_chunks(document, made)),
            objective.origin,
        )
        more = {"courses": found, "saved_seconds": rows.saved_seconds}
        return answered(self, predictions, tokens.cut_by_text, **more)

    def _from_vectors(self, rows: Feed, documents: Documents, progress: Progress) -> INTERPRETED:
        """Probabilities (N, K), and a function: document, chunks of it -> probabilities from these."""
        head, edges = cast("DocumentHead", self.net.head), documents.edges
        assert head.pool is not None
        if rows.frozen is not None and rows.frozen.pooled is not None:
            found = torch.from_numpy(rows.frozen.pooled)
        else:
            chunks = replace(rows, by_document=False)
            found = vectors(self.net, chunks, head.pool, self.runtime, progress)

        def predictions(made: list[Rows]) -> Floats:
            """Probabilities for documents made of these chunks, at most VARIANTS chunks in one call."""
            parts, start = [], 0
            while start < len(made):
                stop, room = start + 1, VARIANTS - len(made[start])
                while stop < len(made) and room >= len(made[stop]):
                    room -= len(made[stop])
                    stop += 1
                parts.append(self._classified(head, found, made[start:stop]))
                start = stop
            return self.net.objective.probabilities(np.concatenate(parts))

        def of_chunks(document: int, made: list[Rows]) -> Floats:
            return predictions([edges[document] + own for own in made])

        return predictions([np.arange(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]), of_chunks

    def _classified(self, head: DocumentHead, found: torch.Tensor, rows: list[Rows]) -> NDArray[np.float32]:
        owner = torch.from_numpy(np.repeat(np.arange(len(rows)), [len(own) for own in rows]))
        chunks = found[torch.from_numpy(np.concatenate(rows))]
        device = self.runtime.device
        with torch.inference_mode():
            logits = head.classify(chunks.to(device), owner.to(device), len(rows))
        return np.asarray(logits.float().cpu().numpy())
