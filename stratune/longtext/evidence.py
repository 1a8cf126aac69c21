"""Why: the chunks that decided what was said of a document, and how much they did.

A chunk's score is what the answer would lose without it: the probability of the answer (of several labels,
of the surest one), or, of a value, its distance from the training mean in the direction that was taken.
Leaving one out is the same measure for every way and every small model (Li, Monroe & Jurafsky 2016,
"Understanding neural networks through representation erasure").
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
NAMED = 3  # chunks that are named of each document
VARIANTS = 4096  # chunk vectors looked at in one go while one after the other is left out


@dataclass(frozen=True)
class Evidence:
    """Characters [start, end) of a document, and what the answer would lose without them."""

    start: int
    end: int
    score: float


def most_important(
    predictions: Floats, documents: Documents, without: Callable[[int], Floats], center: float | None
) -> list[list[Evidence]]:
    """The `NAMED` chunks of each document that matter most, the first one first.

    `predictions` (D, C) of the documents; `without(d)` (M, C): those of document d without each of its M > 1
    chunks; `center`: the training mean of a value, None of labels.
    """
    edges = documents.edges
    found = []
    for document, answer in enumerate(predictions):
        places = documents.places[edges[document] : edges[document + 1]]
        scores = np.ones(1)
        if len(places) > 1:
            scores = _losses(answer, without(document), center)
        order = np.argsort(-scores, kind="stable")[:NAMED]
        named = [(int(places[i, 0]), int(places[i, 1]), float(scores[i])) for i in order]
        found.append([Evidence(*one) for one in named])
    return found


def _losses(answer: Floats, without: Floats, center: float | None) -> Floats:
    if center is None:
        label = int(answer.argmax())
        return np.asarray(answer[label] - without[:, label])
    taken = np.sign(answer[0] - center) or 1.0
    return np.asarray(taken * (answer[0] - without[:, 0]))


def shortened(text: str) -> str:
    """A chunk as it is shown: on one line, its middle left out where it is long."""
    line = " ".join(readable(text).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN // 2]} … {line[-SHOWN // 2 :]}"


def all_but_one(count: int) -> NDArray[np.int64]:
    """(count, count - 1): row i names everybody but i."""
    everybody = np.tile(np.arange(count), (count, 1))
    return everybody[~np.eye(count, dtype=bool)].reshape(count, count - 1)
