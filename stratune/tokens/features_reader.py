"""Texts as tokens with features beside them: another reader tokenises, this one adds numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from stratune.data.segments import readable
from stratune.tokens.tokens import TextLimit, Tokens, first_words
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stratune.tokens.reader import Reader


class Featuriser(Protocol):
    """Texts, or pairs of texts -> (N, F) numbers; those of a text depend on no other.

    `state`: arrays and JSON, which a model folder keeps.
    """

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None) -> NDArray[np.float32]: ...

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]: ...


def read_by_features(texts: Sequence[str], words: int | None) -> list[str]:
    """Whole texts, but for the words that nothing in a comparison reads (`max_words`)."""
    return [first_words(readable(text), words) for text in texts]


@dataclass(frozen=True)
class FeaturesReader:
    """Features are of the whole text, also of what the backbone has no room for."""

    inner: Reader
    features: Featuriser

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
        words = self.limit.max_words
        second = None if pairs is None else read_by_features(pairs, words)
        found = self.features(read_by_features(texts, words), second)
        return replace(self.inner.tokens(texts, pairs, keep=keep, progress=progress), features=found)

    def state(self) -> dict[str, Any] | None:
        return self.inner.state()

    def notes(self) -> list[str]:
        return self.inner.notes()
