"""Documents as rows of chunks: another reader tokenises the chunks, this one records their documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stratune.longtext.chunks import Chunker
from stratune.tokens.tokens import TextLimit, Tokens

if TYPE_CHECKING:
    from stratune.tokens.reader import Reader


@dataclass(frozen=True)
class ChunkReader:
    inner: Reader
    chunker: Chunker

    @property
    def limit(self) -> TextLimit:
        return self.inner.limit

    def tokens(self, texts: Sequence[str], pairs: Sequence[str] | None, *, keep: bool = False) -> Tokens:
        """Rows are chunks; `documents` holds the text and the characters that each comes from."""
        documents, chunks = self.chunker(texts, pairs)
        return replace(self.inner.tokens(chunks, None, keep=keep), documents=documents)

    def state(self) -> dict[str, Any] | None:
        return self.inner.state()

    def notes(self) -> list[str]:
        return self.inner.notes()
