"""Documents predicted chunk by chunk, by any other model, and aggregated; with the most important chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stratune.longtext.evidence import Course, courses
from stratune.model.answers import Chunks, Scored, answered
from stratune.model.base import INSTEAD, Floats, Model
from stratune.watch import SILENT, Progress, Scaled

if TYPE_CHECKING:
    from stratune.longtext.aggregate import Aggregate
    from stratune.longtext.chunks import Chunker
    from stratune.tokens.tokens import Documents


@dataclass
class ChunkModel(Model):
    """`chunker` cuts documents, `inner` predicts chunks, `aggregate` joins the predictions of a document."""

    kind: ClassVar[str] = "chunks"

    inner: Model
    chunker: Chunker
    aggregate: Aggregate

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        documents, chunks = self.chunker(texts, pairs)
        scored = self.inner(chunks, None, Scaled(progress, documents.count, len(chunks)))
        each = scored.predictions if scored.levels is None else scored.levels
        found = Chunks(each, documents.owner, documents.count, self.aggregate)
        joined = found.joined(each)
        unanswered = np.isnan(joined).any(axis=1)
        cut = np.bincount(documents.owner, weights=scored.tokens_cut, minlength=documents.count)
        mass = None
        if scored.mass is not None:
            sums = np.bincount(documents.owner, weights=scored.mass, minlength=documents.count)
            mass = sums / np.bincount(documents.owner, minlength=documents.count)
        return answered(
            self,
            joined,
            cut.astype(np.int32),
            mass=mass,
            courses=self._courses(found, joined, documents),
            chunks=found,
            saved_seconds=scored.saved_seconds,
            invalid=None if scored.invalid is None else unanswered,
        )

    def _courses(self, chunks: Chunks, joined: Floats, documents: Documents) -> list[Course]:
        def of_chunks(document: int, made: list[NDArray[np.int64]]) -> Floats:
            first, last = np.searchsorted(chunks.owner, [document, document + 1])
            own = chunks.predictions[first:last]
            owner = np.repeat(np.arange(len(made)), [len(one) for one in made])
            less = replace(chunks, owner=owner, count=len(made))
            return self.predictions_of(less.joined(own[np.concatenate(made)]))

        return courses(self.predictions_of(joined), documents, of_chunks, self.origin)

    def tune(self, chunks: Chunks, score: Callable[[Floats], float]) -> bool:
        """Choose the aggregate by the `score` of the documents' predictions on validation."""
        self.aggregate = chunks.tuned(score)
        return True

    def write(self, folder: Path) -> dict[str, Any]:
        written = self.inner.write(folder)
        return {**written, "model": self.inner.kind, "aggregate": self.aggregate.state()}

    def outputs(self, texts: Sequence[str], pairs: Sequence[str] | None) -> NDArray[Any]:
        """Those of the chunks: before they are joined, nothing is averaged away."""
        return self.inner.outputs(self.chunker(texts, pairs)[1], None)

    @property
    def whole(self) -> Model:
        return self.inner

    def interpretation(self) -> Any:
        return self.inner.interpretation(), self.aggregate

    def predictions_of(self, probabilities: Floats) -> Floats:
        return self.inner.predictions_of(probabilities)

    def labels_backwards(self) -> Model | None:
        inner = self.inner.labels_backwards()
        return None if inner is None else replace(self, inner=inner)

    def remarks(self) -> list[str]:
        return self.inner.remarks()

    def count_with(self, other: Any) -> None:
        self.inner.count_with(other.inner)

    def notes(self) -> list[str]:
        return self.inner.notes()

    @property
    def origin(self) -> float | None:
        return self.inner.origin

    @property
    def device(self) -> str | None:
        return self.inner.device

    @property
    def precision(self) -> str | None:
        return self.inner.precision

    @property
    def paid(self) -> bool:  # type: ignore[override]
        return self.inner.paid

    def expected_cost(
        self, texts: Sequence[str], pairs: Sequence[str] | None, price: tuple[float, float]
    ) -> float:
        return self.inner.expected_cost(self.chunker(texts, pairs)[1], None, price)

    @property
    def cannot_export(self) -> str | None:  # type: ignore[override]
        own = f"it joins the predictions of a text's chunks, and a folder would read the first; {INSTEAD}"
        return self.inner.cannot_export or own

    @property
    def cannot_graph(self) -> str | None:  # type: ignore[override]
        own = f"it joins the predictions of a text's chunks, and a graph would read the first; {INSTEAD}"
        return self.inner.cannot_graph or own

    def caching(self) -> Self:
        return replace(self, inner=self.inner.caching())

    def trainable(self) -> dict[str, Tensor]:
        return self.inner.trainable()


def join(
    chunks: NDArray[np.float64], documents: Documents, aggregate: Aggregate | None
) -> NDArray[np.float64]:
    """(M, K) of chunks -> (N, K) of documents. `aggregate` None: rows are whole texts already."""
    return chunks if aggregate is None else aggregate(chunks, documents.owner, documents.count)
