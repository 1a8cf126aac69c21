"""How similar texts are: by their words (TF-IDF), or by the vectors of a frozen backbone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ArtifactError, DataError

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone

WORDS = "words"


class Similarity(Protocol):
    """Of any texts to a fixed list of P texts, as cosines."""

    def to(self, texts: Sequence[str]) -> NDArray[np.floating[Any]]:
        """(N, P) of N texts."""
        ...

    def among(self) -> NDArray[np.floating[Any]]:
        """(P, P)"""
        ...


def similarity_by(by: str, texts: Sequence[str], weight_hash: str | None = None) -> Similarity:
    """`by`: `words`, or the id of a backbone, of the weights that `weight_hash` names; None: of any."""
    return ByWords(tuple(texts)) if by == WORDS else ByVectors(tuple(texts), by, weight_hash)


@dataclass(frozen=True)
class ByWords:
    """Cosine of TF-IDF. Raises DataError where the texts have no words."""

    texts: tuple[str, ...]

    def to(self, texts: Sequence[str]) -> NDArray[np.floating[Any]]:
        words, known = self._known
        found: NDArray[np.floating[Any]] = (words.transform(list(texts)) @ known.T).toarray()
        return found  # rows have length 1

    def among(self) -> NDArray[np.floating[Any]]:
        known = self._known[1]
        found: NDArray[np.floating[Any]] = (known @ known.T).toarray()
        return found

    @cached_property
    def _known(self) -> tuple[Any, Any]:
        """(vectoriser, the texts as a sparse matrix (P, V))."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
        try:
            return words, words.fit_transform(self.texts)
        except ValueError as error:  # an empty vocabulary
            raise DataError("the training part has no words to compare rows by") from error


@dataclass(frozen=True)
class ByVectors:
    """Cosine of pooled hidden states. Raises BackboneError, or ArtifactError for other weights."""

    texts: tuple[str, ...]
    backbone_id: str
    weight_hash: str | None = None

    def to(self, texts: Sequence[str]) -> NDArray[np.floating[Any]]:
        return self._vectors(texts) @ self._known.T

    def among(self) -> NDArray[np.floating[Any]]:
        return self._known @ self._known.T

    @cached_property
    def backbone(self) -> Backbone:
        from stratune.backbone.load import load_backbone
        from stratune.train.runtime import default_device

        found = load_backbone(self.backbone_id, device=default_device())
        if self.weight_hash not in (None, found.weight_hash):
            why = f"{self.backbone_id} has other weights than those that demonstrations were chosen by"
            raise ArtifactError(f"{why} ({str(self.weight_hash)[:12]}, found {found.weight_hash[:12]})")
        return found

    @cached_property
    def _known(self) -> NDArray[np.float32]:
        return self._vectors(self.texts)

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, C) of length 1."""
        from torch import nn

        from stratune.net.net import Net
        from stratune.tokens.reader import TextReader
        from stratune.tokens.tokens import TextLimit
        from stratune.train.feed import Feed
        from stratune.train.infer import vectors
        from stratune.train.runtime import runtime_of

        backbone, headless, no_objective = self.backbone, cast("Any", nn.Identity()), cast("Any", None)
        reader = TextReader(backbone, TextLimit(), backbone.sentence.prompt(None))
        feed = Feed(reader.tokens(list(texts), None), backbone.pad)
        net = Net(backbone, headless, no_objective).to(backbone.model.device)
        found = vectors(net, feed, backbone.pool, runtime_of("float32", None))
        return nn.functional.normalize(found, dim=1).numpy()
