"""The baseline `tfidf`: a linear model of the words and the parts of words in a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stratune.model.baseline import Examples, array_of
from stratune.model.tfidf import LinearText, TextFeatures, joined, narrowed
from stratune.strategy.base import Baseline
from stratune.strategy.linear import MANY_LABELS, WEIGHTS, Part, fit_linear
from stratune.strategy.registry import register_baseline
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from stratune.model.tfidf import Columns
    from stratune.strategy.baselines import Predictions
    from stratune.target import Target
    from stratune.task import Task


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
    soft_labels: bool = False

    def settings(self) -> dict[str, Any]:
        lists = {"least": list(self.least), "strengths": list(self.strengths)}
        fields = {"max_features": self.max_features, "characters": self.characters, **lists}
        return {"name": self.name, "preset": self.preset, **fields, "soft_labels": self.soft_labels}

    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> TfIdfModel:
        texts = [*train.texts, *(train.pairs or ())]
        most = self.max_features
        if (labels := len(task.labels)) > MANY_LABELS and task.target.one_label:
            most = min(most, WEIGHTS // (2 * labels))
        features = TextFeatures.fit(texts, most, characters=self.characters is not False)
        x_train, x_val = (features.columns_of(one.texts, one.pairs) for one in (train, val))

        def fitted(terms: Columns, strengths: Sequence[float]) -> tuple[float, Any, Any]:
            seen, chosen_on = (joined([narrowed(kinds, terms) for kinds in x]) for x in (x_train, x_val))
            taught = Part.of(seen, train.truth, train.shares)
            asked = Part.of(chosen_on, val.truth, val.shares)
            return fit_linear(task.target, taught, asked, strengths, seed)

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
        features = TextFeatures.read(arrays, state)
        width = features.width(pairs=bool(task.text_pair))
        weight = array_of(arrays, "weight", (len(task.columns), width))
        return TfIdfModel(features, weight, array_of(arrays, "bias", (len(task.columns),)), task.target)


def loss_of_folds(target: Target, rows: csr_matrix, train: Examples, strength: float, seed: int) -> float:
    """Summed over the rows (N, F), each answered by a model of the other folds."""
    assert train.folds is not None and train.truth is not None
    total = 0.0
    for fold in np.unique(train.folds):
        inside = train.folds == fold
        seen, asked = (
            Part.of(rows[own], train.truth[own], None if train.shares is None else train.shares[own])
            for own in (~inside, inside)
        )
        total += float(inside.sum()) * fit_linear(target, seen, asked, [strength], seed)[0]
    return total


@dataclass(frozen=True)
class TfIdfModel:
    features: TextFeatures
    weight: NDArray[np.float64]  # (C, F)
    bias: NDArray[np.float64]  # (C,)
    target: Target
    tried: int = 1  # settings that validation chose among

    def predictions(self, rows: Examples) -> Predictions:
        x = self.features.transform(rows.texts, rows.pairs)
        return self.target.from_scores(x @ self.weight.T + self.bias)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays, vocabularies = self.features.state()
        return {**arrays, "weight": self.weight, "bias": self.bias}, vocabularies

    def linear(self) -> LinearText:
        pairs = self.weight.shape[1] != self.features.width(pairs=False)
        return LinearText(self.features, self.weight, self.bias, "pair" if pairs else "text")
