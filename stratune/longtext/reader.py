"""Documents as rows of chunks: another reader reads the chunks, this one knows whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.data.segments import readable
from stratune.errors import UnsupportedError
from stratune.longtext.chunks import spans_of
from stratune.tokens.tokens import Documents, TextLimit, Tokens

if TYPE_CHECKING:
    from stratune.longtext.options import LongText
    from stratune.tokens.reader import Reader


@dataclass(frozen=True)
class ChunkReader:
    inner: Reader
    tokenizer: Any
    how: LongText
    special: int  # tokens that are not the text's in every chunk

    @property
    def limit(self) -> TextLimit:
        return self.inner.limit

    def tokens(self, texts: Sequence[str], pairs: Sequence[str] | None, *, keep: bool = False) -> Tokens:
        """Rows are chunks; `documents` says of each which text it is of, and where in it."""
        if pairs is not None:
            raise UnsupportedError("a pair of texts", self.how.way, "chunks are of one text")
        spans = spans_of(self.tokenizer, texts, self.how, self.special)
        chunks = [
            readable(text[span.start : span.end])
            for text, own in zip(texts, spans, strict=True)
            for span in own
        ]
        owner = np.repeat(np.arange(len(texts)), [len(own) for own in spans])
        places = np.array([(span.start, span.end) for own in spans for span in own], dtype=np.int64)
        tokens = self.inner.tokens(chunks, None, keep=keep)
        return replace(tokens, documents=Documents(owner, places.reshape(-1, 2), len(texts)))

    def state(self) -> dict[str, Any] | None:
        return self.inner.state()

    def notes(self) -> list[str]:
        return self.inner.notes()
