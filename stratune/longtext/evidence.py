"""What each chunk did to the prediction of its document: what is lost without it, and the way to the answer.

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
Chunks = NDArray[np.int64]  # of one document, by number from 0
SHOWN = 400  # characters of a chunk in predictions.parquet
NAMED = 3  # chunks listed for each document
VARIANTS = 4096  # chunk vectors in one call of the document head, while one after another is left out


@dataclass(frozen=True)
class Evidence:
    """Characters [start, end) of a document, and what the prediction loses without them."""

    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Course:
    """A document's M chunks in their order."""

    spans: NDArray[np.int64]  # (M, 2) characters [start, end)
    losses: Floats  # (M,) what the prediction loses without the chunk; of the only one everything, 1
    so_far: Floats  # (M,) the prediction if the document ended with the chunk: of the same label, or a value

    @property
    def most_important(self) -> list[Evidence]:
        """The `NAMED` chunks without which the prediction loses most."""
        order = np.argsort(-self.losses, kind="stable")[:NAMED]
        return [Evidence(int(self.spans[i, 0]), int(self.spans[i, 1]), float(self.losses[i])) for i in order]


def courses(
    predictions: Floats,
    documents: Documents,
    of_chunks: Callable[[int, list[Chunks]], Floats],
    center: float | None,
) -> list[Course]:
    """Of each document.

    `predictions` (D, C) of documents; `of_chunks(d, made)` (len(made), C): predictions for documents that are
    made of these chunks of document d; `center`: the training mean of a value, None for labels.
    """
    edges = documents.edges
    found = []
    for document, answer in enumerate(predictions):
        spans = documents.spans[edges[document] : edges[document + 1]]
        shown = int(answer.argmax()) if center is None else 0
        if (count := len(spans)) == 1:
            found.append(Course(spans, np.ones(1), answer[[shown]]))
            continue
        made = [*all_but_one(count), *(np.arange(last) for last in range(1, count))]
        without, so_far = np.split(of_chunks(document, made)[:, shown], [count])
        way = 1.0 if center is None else np.sign(answer[0] - center) or 1.0  # away from the mean
        found.append(Course(spans, way * (answer[shown] - without), np.append(so_far, answer[shown])))
    return found


def shortened(text: str) -> str:
    """A chunk on one line, with the middle of a long one left out."""
    line = " ".join(readable(text).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN // 2]} … {line[-SHOWN // 2 :]}"


def all_but_one(count: int) -> NDArray[np.int64]:
    """(count, count - 1): row i holds all numbers except i."""
    every = np.tile(np.arange(count), (count, 1))
    return every[~np.eye(count, dtype=bool)].reshape(count, count - 1)
