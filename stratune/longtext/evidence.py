"""Evidence: the chunks that are most important for a document's prediction.

A chunk's score is what the prediction loses when the chunk is left out: probability of the predicted label
(multilabel: of the most probable one), or of a value its distance from the training mean. Leave-one-out works
for every aggregate and every document head (Li, Monroe & Jurafsky 2016, "Understanding neural networks
through representation erasure").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratune.data.segments import readable
from stratune.tokens.tokens import Documents

Floats = NDArray[np.float64]
SHOWN = 400  # characters of a chunk in predictions.parquet
NAMED = 3  # chunks listed for each document
VARIANTS = 4096  # chunk vectors in one call of the document head, while one after another is left out


@dataclass(frozen=True)
class Evidence:
    """Characters [start, end) of a document, and what the prediction loses without them."""

    start: int
    end: int
    score: float


def most_important(
    predictions: Floats, documents: Documents, without: Callable[[int], Floats], center: float | None
) -> list[list[Evidence]]:
    """The `NAMED` most important chunks of each document, by score.

    `predictions` (D, C) of documents; `without(d)` (M, C): predictions for document d without each of its
    M > 1 chunks; `center`: the training mean of a value, None for labels.
    """
    edges = documents.edges
    found = []
    for document, answer in enumerate(predictions):
        spans = documents.spans[edges[document] : edges[document + 1]]
        scores = np.ones(1)
        if len(spans) > 1:
            scores = _losses(answer, without(document), center)
        order = np.argsort(-scores, kind="stable")[:NAMED]
        named = [(int(spans[i, 0]), int(spans[i, 1]), float(scores[i])) for i in order]
        found.append([Evidence(*one) for one in named])
    return found


def _losses(answer: Floats, without: Floats, center: float | None) -> Floats:
    if center is None:
        label = int(answer.argmax())
        return np.asarray(answer[label] - without[:, label])
    direction = np.sign(answer[0] - center) or 1.0  # away from the mean
    return np.asarray(direction * (answer[0] - without[:, 0]))


def shortened(text: str) -> str:
    """A chunk on one line, with the middle of a long one left out."""
    line = " ".join(readable(text).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN // 2]} … {line[-SHOWN // 2 :]}"


def all_but_one(count: int) -> NDArray[np.int64]:
    """(count, count - 1): row i holds all numbers except i."""
    every = np.tile(np.arange(count), (count, 1))
    return every[~np.eye(count, dtype=bool)].reshape(count, count - 1)
