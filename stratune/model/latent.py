"""Latent semantic analysis (Deerwester et al., 1990): TF-IDF features on their first singular vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.model.baseline import array_of
from stratune.model.tfidf import TextFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = Sequence[str]

DECOMPOSED = 50_000  # rows at most: more cost time and hardly move the first singular vectors


@dataclass(frozen=True)
class LatentFeatures:
    """Texts, or pairs -> (N, k) float32, whose variance over the training rows is 1 on average.

    Nothing is centred: a text without any known term is zero in every column.
    """

    terms: TextFeatures
    # (F, k) float16, as the head is fitted on them: half the file. Zeros where there are fewer directions
    components: NDArray[np.float16]

    @classmethod
    def fit(
        cls,
        texts: Rows,
        pairs: Rows | None,
        count: int,
        *,
        max_features: int,
        least: int,
        characters: bool,
    ) -> LatentFeatures:
        """`count`: k. `max_features`: of words, and again of characters; `least`: in so many texts.

        Of no text's label: the same for each seed. Raises TrainingError for texts without words.
        """
        from sklearn.decomposition import TruncatedSVD

        both = [*texts, *(pairs or ())]
        every = TextFeatures.fit(both, max_features, characters=characters)
        terms = every.only(every.choices(len(both), (least,), characters)[0])
        x = terms.transform(texts, pairs)
        rows = np.unique(np.linspace(0, len(texts) - 1, DECOMPOSED).astype(np.int64))
        components = np.zeros((x.shape[1], count), dtype=np.float32)
        found = min(count, x.shape[1], len(rows))
        svd = TruncatedSVD(found, random_state=0).fit(x[rows])
        components[:, :found] = svd.components_.T
        spread = float(np.sqrt((x @ components).var(axis=0).mean()))
        return cls(terms, (components / (spread or 1.0)).astype(np.float16))

    @cached_property
    def _components(self) -> NDArray[np.float32]:
        return self.components.astype(np.float32)

    def __call__(self, texts: Rows, pairs: Rows | None) -> NDArray[np.float32]:
        return np.asarray(self.terms.transform(texts, pairs) @ self._components)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What `read` takes."""
        arrays, vocabularies = self.terms.state()
        return {**arrays, "components": self.components}, vocabularies

    @classmethod
    def read(
        cls, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any], count: int, *, pairs: bool
    ) -> LatentFeatures:
        """Raises ArtifactError for what is damaged."""
        terms = TextFeatures.read(arrays, state)
        components = array_of(arrays, "components", (terms.width(pairs=pairs), count))
        return cls(terms, components.astype(np.float16))
