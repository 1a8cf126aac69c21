"""Linear models for every kind of task; validation chooses how closely they fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from stratune.target import Target

ABSENT = -30.0  # the score of a label that no training row has

Floats = NDArray[np.float64]


class Part(NamedTuple):
    """Features (N, F), the truth of the rows, and how much each counts; None: all the same."""

    x: Any
    truth: Any
    weights: Floats | None = None

    @classmethod
    def of(cls, x: Any, truth: Any, shares: Floats | None) -> Part:
        """With `shares` (N, K) of labels a row counts once for each of its labels, by its share: the
        logarithmic loss of all of these is that of the shares.
        """
        if shares is None:
            return cls(x, truth)
        rows, labels = np.nonzero(shares)
        return cls(x[rows], labels, shares[rows, labels])


# Logistic regression of K labels takes K times F weights through hundreds of steps: 300 labels half a minute,
# 3,000 never ended. Above this many labels naive Bayes, which counts once, takes its place.
MANY_LABELS = 500
WEIGHTS = 20_000_000  # of a model of so many labels; 160 MB


def fit_linear(
    target: Target, train: Part, val: Part, strengths: Sequence[float], seed: int
) -> tuple[float, Floats, Floats]:
    """Validation loss, weights (C, F) and biases (C,) of the strength with the lowest one.

    `target.from_scores` makes predictions of what they give.
    """
    if train.truth.ndim == 2:  # a question for each label
        columns = [
            _best(_logistic, Part(train.x, train.truth[:, k]), Part(val.x, val.truth[:, k]), strengths, seed)
            for k in range(len(target.labels))
        ]
        losses, weights, biases = zip(*columns, strict=True)
        return float(np.mean(losses)), np.concatenate(weights), np.concatenate(biases)
    if target.is_numeric:
        return _best(_ridge, train, val, strengths, seed)
    known = np.unique(train.truth)  # labels that a training row has
    there = np.isin(val.truth, known)
    seen = train._replace(truth=np.searchsorted(known, train.truth))
    counts = None if val.weights is None else val.weights[there]
    asked = Part(val.x[there], np.searchsorted(known, val.truth[there]), counts)
    fit = _bayes if len(target.labels) > MANY_LABELS else _logistic
    loss, weight, bias = _best(fit, seen, asked, strengths, seed)
    if len(known) == 2:  # one row of weights: sigmoid(z) is softmax([0, z])
        weight, bias = np.vstack([np.zeros_like(weight), weight]), np.array([0.0, bias[0]])
    if len(known) == len(target.labels):
        return loss, weight, bias
    of_all = np.zeros((len(target.labels), weight.shape[1]), weight.dtype)
    start = np.full(len(target.labels), ABSENT)
    of_all[known], start[known] = weight, 0.0 if len(known) == 1 else bias
    return loss, of_all, start


def _best(
    fit: Any, train: Part, val: Part, strengths: Sequence[float], seed: int
) -> tuple[float, Floats, Floats]:
    found = [fit(train, val, strength, seed) for strength in strengths]
    return min(found, key=lambda one: one[0])  # type: ignore[no-any-return]


def _logistic(train: Part, val: Part, strength: float, seed: int) -> tuple[float, Floats, Floats]:
    """(validation log loss, weights, biases)."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(train.truth)) == 1:  # a label of a set that every training row has, or none
        certain = 30.0 if train.truth[0] else -30.0
        return 0.0, np.zeros((1, train.x.shape[1])), np.array([certain])
    model = LogisticRegression(C=strength, max_iter=500, random_state=seed).fit(*train)
    return _log_loss(model, val) if len(val.truth) else 0.0, model.coef_, model.intercept_


def _log_loss(model: Any, val: Part) -> float:
    """scikit-learn's, bit for bit, whose checks of its arguments take as long as a fit of few rows."""
    from scipy.special import xlogy

    probabilities = model.predict_proba(val.x)
    own = probabilities[np.arange(len(val.truth)), np.searchsorted(model.classes_, val.truth)]
    least = np.finfo(own.dtype).eps
    losses = -xlogy(1.0, np.clip(own, least, 1 - least))
    return float(np.mean(losses) if val.weights is None else np.average(losses, weights=val.weights))


def _bayes(train: Part, val: Part, strength: float, seed: int) -> tuple[float, Floats, Floats]:
    """(validation log loss, weights, biases) of naive Bayes, smoothed by one over `strength`."""
    from sklearn.naive_bayes import MultinomialNB

    model = MultinomialNB(alpha=1 / strength).fit(*train)
    return _log_loss(model, val), model.feature_log_prob_, model.class_log_prior_


def _ridge(train: Part, val: Part, strength: float, seed: int) -> tuple[float, Floats, Floats]:
    """(validation squared error, weights, biases)."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1 / strength, solver="lsqr", random_state=seed).fit(*train)
    error = float(np.mean((model.predict(val.x) - val.truth) ** 2))
    return error, np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
