"""Peers of scikit-learn: features of the texts, and a linear model whose strength validation chooses.

Logistic regression for classes, one for each label where a row has several (with the thresholds that validation
chooses), ridge regression for numbers. The two texts of a pair have features of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from against.answers import Answer, plain, tuned
from against.sets import Draw
from against.vectors import vectors
from stratune.task import Task

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # C of logistic regression; 1 / alpha of ridge


def _model(task: Task, strength: float) -> Any:
    if task.target.is_numeric:
        return Ridge(alpha=1 / strength)
    one = LogisticRegression(C=strength, max_iter=2000)
    return OneVsRestClassifier(one) if task.target.several_labels else one


def _predictions(task: Task, model: Any, rows: Any) -> np.ndarray:
    """(N, C); a class that no row of a fold has would be a fault of the draw, which has them all."""
    return model.predict(rows)[:, None] if task.target.is_numeric else model.predict_proba(rows)


def tfidf(draw: Draw, backbone: Path, folder: Path) -> Answer:
    """Words and pairs of words, as scikit-learn's users take them, sublinear."""

    def vectorizer() -> TfidfVectorizer:
        return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)

    columns = ["text", "text_pair"] if draw.task.text_pair else ["text"]

    def predict(strength: float, inside: np.ndarray, outside: np.ndarray | None, part: str) -> np.ndarray:
        features = ColumnTransformer([(column, vectorizer(), column) for column in columns])
        model = make_pipeline(features, _model(draw.task, strength))
        model.fit(draw.train.iloc[inside], draw.truth("train")[inside])
        rows = draw.parts[part]
        return _predictions(draw.task, model, rows if outside is None else rows.iloc[outside])

    return tuned(draw, STRENGTHS, predict, "C")


def frozen(draw: Draw, backbone: Path, folder: Path) -> Answer:
    """A linear model on frozen vectors; of a pair, on the vector of both texts read together."""

    def features(part: str) -> np.ndarray:
        frame = draw.parts[part]
        pairs = list(frame["text_pair"]) if draw.task.text_pair else None
        return vectors(backbone, list(frame["text"]), pairs, folder / "vectors")

    return _on_vectors(draw, features)


def two_vectors(draw: Draw, backbone: Path, folder: Path) -> Answer:
    """A linear model on (u, v, |u - v|, uv) of the vectors of two texts."""

    def features(part: str) -> np.ndarray:
        u, v = _each(draw, part, backbone, folder)
        return np.concatenate([u, v, np.abs(u - v), u * v], axis=1)

    return _on_vectors(draw, features)


def cosine(draw: Draw, backbone: Path, folder: Path) -> Answer:
    """The cosine of two texts alone: isotonic regression of numbers, thresholds (which logistic regression finds)
    between classes; of two classes the threshold that is best on training rows by the set's metric.
    """

    def features(part: str) -> np.ndarray:
        u, v = _each(draw, part, backbone, folder)
        return (u * v).sum(axis=1)  # (N,)

    seen, asked, truth = features("train"), features("test"), draw.truth("train")
    if draw.task.target.is_numeric:
        model = IsotonicRegression(out_of_bounds="clip", increasing="auto").fit(seen, truth)
        return plain(draw, model.predict(asked)[:, None])
    model = LogisticRegression(C=1e6, max_iter=2000).fit(seen[:, None], truth)
    found = model.predict_proba(asked[:, None])
    if len(draw.task.labels) != 2:
        return plain(draw, found)
    known = model.predict_proba(seen[:, None])[:, 1]
    edges = np.unique(np.quantile(known, np.linspace(0.01, 0.99, 99)))
    target = draw.task.target

    def scores(edge: float) -> dict[str, float]:
        return target.score(truth, np.stack([known < edge, known >= edge], axis=1).astype(float))

    best = float(draw.task.selection.best(edges, scores))
    return Answer(found, target.named((found[:, 1] >= best).astype(int)), {"threshold": best})


def _each(draw: Draw, part: str, backbone: Path, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    frame = draw.parts[part]
    u, v = (
        vectors(backbone, list(frame[column]), None, folder / "vectors") for column in ("text", "text_pair")
    )
    return u, v


def _on_vectors(draw: Draw, features: Callable[[str], np.ndarray]) -> Answer:
    of_part = {part: features(part) for part in draw.parts}

    def predict(strength: float, inside: np.ndarray, outside: np.ndarray | None, part: str) -> np.ndarray:
        model = _model(draw.task, strength).fit(of_part["train"][inside], draw.truth("train")[inside])
        rows = of_part[part]
        return _predictions(draw.task, model, rows if outside is None else rows[outside])

    return tuned(draw, STRENGTHS, predict, "C")
