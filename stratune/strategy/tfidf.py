"""The baseline `tfidf`: a linear model of the words and the parts of words in a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stratune.errors import ArtifactError, TrainingError
from stratune.model.baseline import Examples, array_of
from stratune.strategy.base import Baseline
from stratune.strategy.linear import MANY_LABELS, WEIGHTS, fit_linear
from stratune.strategy.registry import register_baseline
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from stratune.strategy.baselines import Predictions, Rows
    from stratune.target import Target
    from stratune.task import Task

    Kinds = list[csr_matrix]  # (N, F) of words, and (N, F') of parts of words
    Columns = tuple[NDArray[np.int64], ...]  # the same kinds: which terms are used


@register_baseline("tfidf")
@dataclass(frozen=True)
class TfIdf(Baseline):
    """TF-IDF of words (1-2) and characters (2-5 in words), logistic (of values: ridge) regression.

    For a pair the features of both texts, their absolute difference and their product stand side by side:
    without the last two a linear model cannot see whether the texts agree. Validation loss (or that of folds
    of the training rows, where these are validation) chooses among `least`, with and without characters, and
    then among `strengths`. More than 500 classes get naive Bayes on the most frequent terms: logistic
    regression of 3,000 classes does not end.
    """

    space: ClassVar[Space] = {
        "max_features": Choice(20_000, 50_000, 100_000, 200_000),
        "characters": Choice(None, True, False),
        "strengths": Choice((0.1, 1.0, 10.0), (0.3, 3.0, 30.0), (1.0, 10.0, 100.0), (3.0, 30.0, 300.0)),
    }

    name: str = "tfidf"
    max_features: int = 100_000  # of words, and again of characters
    # Training texts that a term must stand in: long texts are full of terms that only tell them apart.
    least: tuple[int, ...] = (1, 3, 10, 30)
    characters: bool | None = None  # None: validation chooses
    strengths: tuple[float, ...] = (1.0, 10.0, 100.0)  # values of C, or of one over ridge's alpha

    def settings(self) -> dict[str, Any]:
        lists = {"least": list(self.least), "strengths": list(self.strengths)}
        fields = {"max_features": self.max_features, "characters": self.characters, **lists}
        return {"name": self.name, "preset": "tfidf", **fields}

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> TfIdfModel:
        texts = [*train.texts, *(train.pairs or ())]
        most = self.max_features
        if (labels := len(task.labels)) > MANY_LABELS and task.target.one_label:
            most = min(most, WEIGHTS // (2 * labels))
        features = TextFeatures.fit(texts, most, characters=self.characters is not False)
        x_train, x_val = features.columns_of(train), features.columns_of(val)

        def fitted(terms: Columns, strengths: Sequence[float]) -> tuple[float, Any, Any]:
            seen, chosen_on = (joined([narrowed(kinds, terms) for kinds in x]) for x in (x_train, x_val))
            return fit_linear(task.target, (seen, train.truth), (chosen_on, val.truth), strengths, seed)

        def loss(terms: Columns, strength: float) -> float:
            if train.folds is None:
                return fitted(terms, [strength])[0]
            rows = joined([narrowed(kinds, terms) for kinds in x_train])
            return loss_of_folds(task.target, rows, train, strength, seed)

        choices, strengths = features.choices(len(texts), self.least, self.characters), self.strengths
        middle = strengths[len(strengths) // 2]
        terms = min(choices, key=lambda one: loss(one, middle)) if len(choices) > 1 else choices[0]
        tried = len(strengths) + (len(choices) if len(choices) > 1 else 0)
        if train.folds is not None:
            tried = 1
            if len(strengths) > 1:
                strengths = (min(strengths, key=lambda one: loss(terms, one)),)
        _, weight, bias = fitted(terms, strengths)
        return TfIdfModel(features.only(terms), weight, bias, task.target, tried)

    def restore(self, task: Task, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> TfIdfModel:
        words, characters = terms_of(state, "words"), terms_of(state, "characters")
        features = TextFeatures.restore(
            (words, array_of(arrays, "word_idf", (len(words),))),
            (characters, array_of(arrays, "character_idf", (len(characters),))),
        )
        width = (len(words) + len(characters)) * (4 if task.text_pair else 1)  # see `joined`
        weight = array_of(arrays, "weight", (len(task.columns), width))
        return TfIdfModel(features, weight, array_of(arrays, "bias", (len(task.columns),)), task.target)


def loss_of_folds(target: Target, rows: csr_matrix, train: Examples, strength: float, seed: int) -> float:
    """Summed over the rows (N, F), each answered by a model of the other folds."""
    assert train.folds is not None and train.truth is not None
    total = 0.0
    for fold in np.unique(train.folds):
        inside = train.folds == fold
        seen, asked = ((rows[own], train.truth[own]) for own in (~inside, inside))
        total += float(inside.sum()) * fit_linear(target, seen, asked, [strength], seed)[0]
    return total


def terms_of(state: Mapping[str, Any], kind: str) -> list[str]:
    """A saved vocabulary. Raises ArtifactError unless it is a list of different terms."""
    found = state.get(kind)
    if not isinstance(found, list) or not all(isinstance(term, str) for term in found):
        raise ArtifactError(f"a baseline's {kind}: damaged (no list of terms)")
    if len(set(found)) != len(found):
        raise ArtifactError(f"a baseline's {kind}: damaged (terms repeat)")
    if kind == "words" and not found:
        raise ArtifactError("a baseline's words: damaged (there are none)")
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

    def columns_of(self, rows: Examples) -> list[Kinds]:
        """The vectors of the texts, and of their pairs where they have some."""
        columns = (rows.texts,) if rows.pairs is None else (rows.texts, rows.pairs)
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

    def transform(self, rows: Examples) -> csr_matrix:
        """(N, F) sparse; F is four times as wide for pairs."""
        return joined(self.columns_of(rows))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What `restore` takes: of characters nothing where they are not used."""
        word, character = (*self.vectorisers, None)[:2]
        arrays = {
            "word_idf": word.idf_,
            "character_idf": np.zeros(0) if character is None else character.idf_,
        }
        return arrays, {"words": names(word), "characters": [] if character is None else names(character)}


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


@dataclass(frozen=True)
class TfIdfModel:
    features: TextFeatures
    weight: NDArray[np.float64]  # (C, F)
    bias: NDArray[np.float64]  # (C,)
    target: Target
    tried: int = 1  # settings that validation chose among

    def predictions(self, rows: Examples) -> Predictions:
        return self.target.from_scores(self.features.transform(rows) @ self.weight.T + self.bias)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays, vocabularies = self.features.state()
        return {**arrays, "weight": self.weight, "bias": self.bias}, vocabularies
