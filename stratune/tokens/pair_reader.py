"""Pairs as two sequences each: another reader tokenises the texts one by one, this one records their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import UnsupportedError
from stratune.tokens.tokens import Documents, TextLimit, Tokens
from stratune.watch import SILENT, Progress, Scaled

if TYPE_CHECKING:
    from stratune.tokens.reader import Reader


@dataclass(frozen=True)
class PairReader:
    """N pairs -> 2 N sequences: first and second text of row 0, of row 1, ... `documents` holds the rows."""

    inner: Reader

    @property
    def limit(self) -> TextLimit:
        """Of each text, not of the pair."""
        return self.inner.limit

    def tokens(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        *,
        keep: bool = False,
        progress: Progress = SILENT,
    ) -> Tokens:
        """Raises UnsupportedError for rows without a second text."""
        if pairs is None:
            raise UnsupportedError("reading two texts apart", "single texts", "each row needs two")
        both = [text for row in zip(texts, pairs, strict=True) for text in row]
        owner = np.repeat(np.arange(len(texts), dtype=np.int64), 2)
        spans = np.array([(0, len(text)) for text in both], dtype=np.int64).reshape(-1, 2)
        rows = Documents(owner, spans, len(texts))
        scaled = Scaled(progress, len(texts), len(both))
        return replace(self.inner.tokens(both, None, keep=keep, progress=scaled), documents=rows)

    def state(self) -> dict[str, Any] | None:
        return self.inner.state()

    def notes(self) -> list[str]:
        return self.inner.notes()
