"""The linear model of TF-IDF features in a predictor, and its calibration folded into its numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stratune.errors import UnsupportedError
from stratune.model.base import INSTEAD
from stratune.model.tfidf import LinearText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.predictor.predictor import Predictor


@dataclass(frozen=True)
class Exported:
    """`max_words`: texts are cut there first. `thresholds`: of the exported probabilities; of two labels
    (1,), of label sets (K,); None: the highest probability decides, or one half.
    """

    text: LinearText
    max_words: int | None
    thresholds: NDArray[np.float64] | None = None


def linear_text(predictor: Predictor, export: str) -> Exported:
    """Before calibration. Raises UnsupportedError for any other model."""
    found = predictor.model.linear_text()
    if found is None:
        raise UnsupportedError(export, named(predictor), f"it is no linear model of words; {INSTEAD}")
    return Exported(found, getattr(predictor.model, "max_words", None))


def named(predictor: Predictor) -> str:
    """The strategy that made the model."""
    return str(predictor.about.get("strategy", {}).get("name", "this model"))


def calibrated(found: Exported, predictor: Predictor, export: str) -> Exported:
    """Weights whose softmax (of label sets sigmoid, each by itself) are calibrated probabilities.

    Calibration scales log-probabilities by a temperature, or logits of label sets: that scales weights.
    Factors for each label move what softmax takes away, so no weights give them: UnsupportedError.
    """
    target, scaling = predictor.task.target, predictor.post.scaling
    if target.one_label and (len(scaling.scale) > 1 or scaling.bias):
        why = f"no weights give its vector scaling; train with a temperature, export it to onnx, or {INSTEAD}"
        raise UnsupportedError(export, named(predictor), why)
    text = found.text
    if scaling:
        scale = np.broadcast_to(np.asarray(scaling.scale or 1.0), text.bias.shape)
        bias = text.bias * scale + np.asarray(scaling.bias or 0.0)
        text = replace(text, weight=text.weight * scale[:, None], bias=bias)
    return replace(found, text=text, thresholds=_thresholds(predictor))


def _thresholds(predictor: Predictor) -> NDArray[np.float64] | None:
    """Thresholds decide on probabilities before calibration: what these are of calibrated ones.

    Neither a temperature nor the calibration of label sets turns two probabilities of a label round.
    """
    target, post = predictor.task.target, predictor.post
    given = post.decision.thresholds
    if target.several_labels:
        row = np.asarray(given or [0.5] * len(target.labels))[None]
        return target.calibrated(row, post.scaling)[0] if given or post.scaling else None
    if not given:
        return None
    return target.calibrated(np.array([[1.0 - given[0], given[0]]]), post.scaling)[0, 1:]
