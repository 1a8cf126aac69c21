"""Documents as rows of chunks: another reader tokenises the chunks, this one records their documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stratune.longtext.chunks import Chunker
from stratune.tokens.tokens import TextLimit, Tokens
from stratune.watch import SILENT, Progress, Scaled

if TYPE_CHECKING:
    from stratune.tokens.reader import Reader


@dataclass(frozen=True)
class ChunkReader:
    inner: Reader
    chunker: Chunker

    @property
    def limit(self) -> TextLimit:
        return self.inner.limit

    def tokens(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        *,
        keep: bool = False,
        progress: Progress = SILENT,
    ) -> Tokens:
        """Rows are chunks; `documents` holds the text and the characters that each comes from."""
        documents, chunks = self.chunker(texts, pairs)
        scaled = Scaled(progress, documents.count, len(chunks))
        return replace(self.inner.tokens(chunks, None, keep=keep, progress=scaled), documents=documents)

    def state(self) -> dict[str, Any] | None:
        return self.inner.state()

    def notes(self) -> list[str]:
        return self.inner.notes()
