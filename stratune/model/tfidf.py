"""TF-IDF features of texts: words and parts of words, weighted by how few of the training texts have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from stratune.errors import ArtifactError, TrainingError
from stratune.model.arrays import array_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Rows = Sequence[str]
    Kinds = list[csr_matrix]  # (N, F) of words, and (N, F') of parts of words
    Columns = tuple[NDArray[np.int64], ...]  # the same kinds: which terms are used


# What of a row a linear model of TF-IDF features reads: its text, both texts of a pair, or one of them.
Reads = Literal["text", "pair", "first", "second"]


def terms_of(state: Mapping[str, Any], kind: str) -> list[str]:
    """A saved vocabulary. Raises ArtifactError unless it is a list of different terms."""
    found = state.get(kind)
    if not isinstance(found, list) or not all(isinstance(term, str) for term in found):
        raise ArtifactError(f"the terms '{kind}': damaged (no list of terms)")
    if len(set(found)) != len(found):
        raise ArtifactError(f"the terms '{kind}': damaged (terms repeat)")
    if kind == "words" and not found:
        raise ArtifactError("the terms 'words': damaged (there are none)")
    return found


@dataclass(frozen=True)
class TextFeatures:
    """scikit-learn's vectorisers, as plain vocabularies and weights so that no pickle is needed.

    Of words, and of parts of words unless these are not used.
    """

    vectorisers: tuple[Any, ...]

    @staticmethod
    def _vectorisers(**options: Any) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        common = {"sublinear_tf": True, "dtype": np.float32, **options}
        word = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **common)
        return word, TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common)

    @classmethod
    def fit(cls, texts: Rows, max_features: int, *, characters: bool) -> TextFeatures:
        vectorisers = cls._vectorisers(max_features=max_features)[: 1 + characters]
        try:
            return cls(tuple(one.fit(texts) for one in vectorisers))
        except ValueError as error:  # "empty vocabulary"
            raise TrainingError(f"tfidf: no words in the training texts ({error})") from error

    @classmethod
    def restore(cls, *fitted: tuple[Rows, NDArray[Any]]) -> TextFeatures:
        """Of (terms, inverse document frequencies); a kind without terms is not used."""
        used = []
        for vectoriser, (terms, idf) in zip(cls._vectorisers(), fitted, strict=True):
            if len(terms):
                vectoriser.set_params(vocabulary={term: i for i, term in enumerate(terms)})
                vectoriser.idf_ = np.asarray(idf)
                used.append(vectoriser)
        return cls(tuple(used))

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> TextFeatures:
        """What `state` gave. Raises ArtifactError for what is damaged."""
        words, characters = terms_of(state, "words"), terms_of(state, "characters")
        return cls.restore(
            (words, array_of(arrays, "word_idf", (len(words),))),
            (characters, array_of(arrays, "character_idf", (len(characters),))),
        )

    def width(self, *, pairs: bool) -> int:
        """F of `transform`."""
        return sum(len(one.vocabulary) for one in self.vectorisers) * (4 if pairs else 1)

    def columns_of(self, texts: Rows, pairs: Rows | None) -> list[Kinds]:
        """The vectors of the texts, and of their pairs where they have some."""
        columns = (texts,) if pairs is None else (texts, pairs)
        return [[one.transform(texts) for one in self.vectorisers] for texts in columns]

    def choices(self, texts: int, least: Sequence[int], characters: bool | None) -> list[Columns]:
        """The sets of terms that there are to choose from, the largest ones first; at least one.

        `texts` that the features were fitted on.
        """
        found: dict[tuple[int, ...], Columns] = {}
        kinds = (True, False) if characters is None else (characters,)
        frequencies = [np.rint((1 + texts) / np.exp(one.idf_ - 1.0) - 1) for one in self.vectorisers]
        for used in (frequencies[: 1 + with_characters] for with_characters in kinds):
            for count in least:
                terms = tuple(np.flatnonzero(frequency >= count) for frequency in used)
                if all(map(len, terms)):
                    found.setdefault(tuple(map(len, terms)), terms)
        return [*found.values()] or [tuple(np.arange(len(one)) for one in frequencies)]

    def only(self, terms: Columns) -> TextFeatures:
        words = [np.array(names(one)) for one in self.vectorisers]
        kept = [(words[i][own].tolist(), self.vectorisers[i].idf_[own]) for i, own in enumerate(terms)]
        return TextFeatures.restore(*kept, *[((), np.zeros(0))] * (2 - len(kept)))

    def transform(self, texts: Rows, pairs: Rows | None) -> csr_matrix:
        """(N, F) sparse; F is four times as wide for pairs."""
        return joined(self.columns_of(texts, pairs))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What `read` takes: of characters nothing where they are not used."""
        word, character = (*self.vectorisers, None)[:2]
        arrays = {
            "word_idf": word.idf_,
            "character_idf": np.zeros(0) if character is None else character.idf_,
        }
        return arrays, {"words": names(word), "characters": [] if character is None else names(character)}


@dataclass(frozen=True)
class LinearText:
    """A linear model of TF-IDF features as plain numbers, which other libraries compute, too.

    Scores of a row are `weight` (C, F) times its features plus `bias` (C,).
    """

    features: TextFeatures
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    reads: Reads


def names(vectoriser: Any) -> list[str]:
    """The terms in the order of their columns."""
    return sorted(vectoriser.vocabulary_, key=vectoriser.vocabulary_.get)


def narrowed(kinds: Kinds, terms: Columns) -> Kinds:
    """Vectors as a vectoriser that knows only these terms makes them: each kind of length one."""
    from sklearn.preprocessing import normalize

    return [normalize(kinds[i][:, own], copy=False) for i, own in enumerate(terms)]


def joined(columns: Sequence[Kinds]) -> csr_matrix:
    """The features of texts; of pairs with those that tell whether the two texts agree."""
    from scipy.sparse import hstack

    sides = [hstack(kinds, format="csr") for kinds in columns]
    if len(sides) == 1:
        return sides[0]
    first, second = sides
    return hstack([first, second, abs(first - second), first.multiply(second)], format="csr")
