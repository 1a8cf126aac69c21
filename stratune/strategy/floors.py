"""Floors: what a strategy has to beat. No language model; rows of the leaderboard like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from stratune.errors import UnsupportedError
from stratune.strategy.base import register_floor
from stratune.strategy.linear import fit_linear, linear_says
from stratune.train.tokens import first_words

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from stratune.task import Kind, Task

    Rows = Sequence[str]
    Said = NDArray[np.float64]  # (N, C): probabilities of the labels, or values


@dataclass(frozen=True)
class Examples:
    """What a floor sees: texts (and their pairs), and the truth where it learns."""

    texts: Rows
    pairs: Rows | None = None
    truth: NDArray[Any] | None = None  # as data/rows.py gives it

    def first_words(self, count: int | None) -> Examples:
        """The same with every text cut after `count` words; None: whole."""
        if count is None:
            return self
        cut = [[first_words(text, count) for text in column] for column in (self.texts, self.pairs or ())]
        return Examples(cut[0], cut[1] if self.pairs is not None else None, self.truth)


class FloorModel(Protocol):
    """A fitted floor: (N, C) out, and a state (arrays, JSON) that `restore` reads back."""

    def said(self, rows: Examples) -> Said: ...

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]: ...


class Floor(Protocol):
    """Hyperparameters of a floor. `fit` learns from train; validation may choose, test is never seen.

    Raises UnsupportedError for a kind of task that it cannot do.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str: ...

    def settings(self) -> dict[str, Any]: ...

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> FloorModel: ...

    def restore(
        self, task: Task, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]
    ) -> FloorModel: ...


@dataclass(frozen=True)
class PriorModel:
    prior: NDArray[np.float64]  # (C,)

    def said(self, rows: Examples) -> Said:
        return np.tile(self.prior, (len(rows.texts), 1))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return {"prior": self.prior}, {}


class _Constant:
    """A floor that says the same of every row."""

    def restore(self, task: Task, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> PriorModel:
        return PriorModel(np.asarray(arrays["prior"]))


@register_floor("majority")
@dataclass(frozen=True)
class Majority(_Constant):
    """Always the most frequent label of the training rows, with the label shares as probabilities."""

    name: str = "majority"

    def settings(self) -> dict[str, Any]:
        return {"name": self.name, "preset": "majority"}

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> PriorModel:
        assert train.truth is not None
        if task.kind == "regression":
            raise UnsupportedError("a regression", self.name, "values have no majority; use `mean`")
        if task.kind == "multilabel":
            return PriorModel(train.truth.mean(axis=0))
        return PriorModel(np.bincount(train.truth, minlength=len(task.labels)) / len(train.truth))


@register_floor("mean")
@dataclass(frozen=True)
class Mean(_Constant):
    """Always the mean value of the training rows."""

    name: str = "mean"

    def settings(self) -> dict[str, Any]:
        return {"name": self.name, "preset": "mean"}

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> PriorModel:
        assert train.truth is not None
        if task.kind != "regression":
            raise UnsupportedError(
                f"a task of kind {task.kind}", self.name, "labels have no mean; use `majority`"
            )
        return PriorModel(np.array([train.truth.mean()]))


@register_floor("tfidf")
@dataclass(frozen=True)
class TfIdf:
    """TF-IDF of words (1-2) and characters (2-5 in words), logistic (of values: ridge) regression.

    For a pair the features of both texts, their absolute difference and their product stand side by side:
    without the last two a linear model cannot see whether the texts agree.
    """

    name: str = "tfidf"
    max_features: int = 100_000  # of words, and again of characters
    # values of C, or of one over ridge's alpha, that validation loss chooses among
    strengths: tuple[float, ...] = (1.0, 10.0, 100.0)

    def settings(self) -> dict[str, Any]:
        fields = {"max_features": self.max_features, "strengths": list(self.strengths)}
        return {"name": self.name, "preset": "tfidf", **fields}

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> TfIdfModel:
        features = TextFeatures.fit([*train.texts, *(train.pairs or ())], self.max_features)
        x_train, x_val = features.transform(train), features.transform(val)
        weight, bias = fit_linear(task, (x_train, train.truth), (x_val, val.truth), self.strengths, seed)
        return TfIdfModel(features, weight, bias, task.kind)

    def restore(self, task: Task, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> TfIdfModel:
        features = TextFeatures.restore(
            state["words"], arrays["word_idf"], state["characters"], arrays["character_idf"]
        )
        return TfIdfModel(features, np.asarray(arrays["weight"]), np.asarray(arrays["bias"]), task.kind)


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
    weight: NDArray[np.float64]  # (C, F)
    bias: NDArray[np.float64]  # (C,)
    kind: Kind = "classification"

    def said(self, rows: Examples) -> Said:
        return linear_says(self.features.transform(rows) @ self.weight.T + self.bias, self.kind)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        features = self.features
        arrays = {"word_idf": features.word.idf_, "character_idf": features.character.idf_}
        vocabularies = {
            "words": features.terms(features.word),
            "characters": features.terms(features.character),
        }
        return {**arrays, "weight": self.weight, "bias": self.bias}, vocabularies
