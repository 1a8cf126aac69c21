"""Floors: what a strategy has to beat. No language model; rows of the leaderboard like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from stratune.strategy.base import register_floor
from stratune.train.tokens import first_words

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Rows = Sequence[str]
    Probabilities = NDArray[np.float64]  # (N, K)


@dataclass(frozen=True)
class Examples:
    """What a floor sees: texts (and their pairs), and label numbers where it learns."""

    texts: Rows
    pairs: Rows | None = None
    labels: NDArray[np.int64] | None = None  # (N,)

    def first_words(self, count: int | None) -> Examples:
        """The same with every text cut after `count` words; None: whole."""
        if count is None:
            return self
        cut = [[first_words(text, count) for text in column] for column in (self.texts, self.pairs or ())]
        return Examples(cut[0], cut[1] if self.pairs is not None else None, self.labels)


class FloorModel(Protocol):
    """A fitted floor: probabilities out, and a state (arrays, JSON) that `restore` reads back."""

    def probabilities(self, rows: Examples) -> Probabilities: ...

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]: ...


class Floor(Protocol):
    """Hyperparameters of a floor. `fit` learns from train; validation may choose, test is never seen."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str: ...

    def settings(self) -> dict[str, Any]: ...

    def fit(self, train: Examples, val: Examples, classes: int, seed: int) -> FloorModel: ...

    def restore(self, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> FloorModel: ...


@dataclass(frozen=True)
class PriorModel:
    prior: NDArray[np.float64]  # (K,)

    def probabilities(self, rows: Examples) -> Probabilities:
        return np.tile(self.prior, (len(rows.texts), 1))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return {"prior": self.prior}, {}


@register_floor("majority")
@dataclass(frozen=True)
class Majority:
    """Always the most frequent label of the training rows, with the label shares as probabilities."""

    name: str = "majority"

    def settings(self) -> dict[str, Any]:
        return {"name": self.name, "preset": "majority"}

    def fit(self, train: Examples, val: Examples, classes: int, seed: int) -> PriorModel:
        assert train.labels is not None
        return PriorModel(np.bincount(train.labels, minlength=classes) / len(train.labels))

    def restore(self, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> PriorModel:
        return PriorModel(np.asarray(arrays["prior"]))


@register_floor("tfidf")
@dataclass(frozen=True)
class TfIdf:
    """TF-IDF of words (1-2) and characters (2-5 in words), logistic regression; its C chosen on validation.

    For a pair the features of both texts, their absolute difference and their product stand side by side:
    without the last two a linear model cannot see whether the texts agree.
    """

    name: str = "tfidf"
    max_features: int = 100_000  # of words, and again of characters
    strengths: tuple[float, ...] = (1.0, 10.0, 100.0)  # values of C tried; validation log loss chooses

    def settings(self) -> dict[str, Any]:
        fields = {"max_features": self.max_features, "strengths": list(self.strengths)}
        return {"name": self.name, "preset": "tfidf", **fields}

    def fit(self, train: Examples, val: Examples, classes: int, seed: int) -> TfIdfModel:
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import log_loss

        assert train.labels is not None and val.labels is not None
        features = TextFeatures.fit([*train.texts, *(train.pairs or ())], self.max_features)
        x_train, x_val = features.transform(train), features.transform(val)

        def fitted(strength: float) -> LogisticRegression:
            return LogisticRegression(C=strength, max_iter=500, random_state=seed).fit(x_train, train.labels)

        def loss(model: LogisticRegression) -> float:
            return float(log_loss(val.labels, model.predict_proba(x_val), labels=model.classes_))

        best = min((fitted(strength) for strength in self.strengths), key=loss)
        return TfIdfModel(features, *_every_class(best, classes))

    def restore(self, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> TfIdfModel:
        features = TextFeatures.restore(
            state["words"], arrays["word_idf"], state["characters"], arrays["character_idf"]
        )
        return TfIdfModel(features, np.asarray(arrays["weight"]), np.asarray(arrays["bias"]))


def _every_class(model: Any, classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (K, F) and biases (K,) of a softmax over all K classes, from scikit-learn's shapes."""
    if classes == 2:  # one row of weights: sigmoid(z) is softmax([0, z])
        weight = np.vstack([np.zeros_like(model.coef_), model.coef_])
        return weight, np.array([0.0, model.intercept_[0]])
    return model.coef_, model.intercept_


@dataclass(frozen=True)
class TextFeatures:
    """Two fitted scikit-learn vectorisers, as plain vocabularies and weights so that no pickle is needed."""

    word: Any
    character: Any

    @staticmethod
    def _vectorisers(**options: Any) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        common = {"sublinear_tf": True, "dtype": np.float32, **options}
        word = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **common)
        return word, TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common)

    @classmethod
    def fit(cls, texts: Rows, max_features: int) -> TextFeatures:
        word, character = cls._vectorisers(max_features=max_features)
        try:
            return cls(word.fit(texts), character.fit(texts))
        except ValueError as error:  # "empty vocabulary"
            from stratune.errors import TrainingError

            raise TrainingError(f"tfidf: no words in the training texts ({error})") from error

    @classmethod
    def restore(
        cls, words: Rows, word_idf: NDArray[Any], characters: Rows, character_idf: NDArray[Any]
    ) -> TextFeatures:
        word, character = cls._vectorisers()
        for vectoriser, terms, idf in ((word, words, word_idf), (character, characters, character_idf)):
            vectoriser.set_params(vocabulary={term: i for i, term in enumerate(terms)})
            vectoriser.idf_ = np.asarray(idf)
        return cls(word, character)

    def transform(self, rows: Examples) -> csr_matrix:
        """(N, F) sparse; F is four times as wide for pairs."""
        from scipy.sparse import hstack

        def vectors(texts: Rows) -> csr_matrix:
            return hstack([self.word.transform(texts), self.character.transform(texts)], format="csr")

        first = vectors(rows.texts)
        if rows.pairs is None:
            return first
        second = vectors(rows.pairs)
        return hstack([first, second, abs(first - second), first.multiply(second)], format="csr")

    def terms(self, vectoriser: Any) -> list[str]:
        return sorted(vectoriser.vocabulary_, key=vectoriser.vocabulary_.get)


@dataclass(frozen=True)
class TfIdfModel:
    features: TextFeatures
    weight: NDArray[np.float64]  # (K, F)
    bias: NDArray[np.float64]  # (K,)

    def probabilities(self, rows: Examples) -> Probabilities:
        from scipy.special import softmax

        logits = self.features.transform(rows) @ self.weight.T + self.bias
        return np.asarray(softmax(logits, axis=1), dtype=np.float64)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        features = self.features
        arrays = {"word_idf": features.word.idf_, "character_idf": features.character.idf_}
        vocabularies = {
            "words": features.terms(features.word),
            "characters": features.terms(features.character),
        }
        return {**arrays, "weight": self.weight, "bias": self.bias}, vocabularies
