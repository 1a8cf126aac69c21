"""Linear models for every kind of task; validation chooses how closely they fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from stratune.target import Target

ABSENT = -30.0  # the score of a label that no training row has

Floats = NDArray[np.float64]
Part = tuple[Any, Any]  # features (N, F), truth


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
    if train[1].ndim == 2:  # a question for each label
        columns = [
            _best(_logistic, (train[0], train[1][:, k]), (val[0], val[1][:, k]), strengths, seed)
            for k in range(len(target.labels))
        ]
        losses, weights, biases = zip(*columns, strict=True)
        return float(np.mean(losses)), np.concatenate(weights), np.concatenate(biases)
    if target.is_numeric:
        return _best(_ridge, train, val, strengths, seed)
    known = np.unique(train[1])  # labels that a training row has
    there = np.isin(val[1], known)
    rows = [(x, np.searchsorted(known, y)) for x, y in (train, (val[0][there], val[1][there]))]
    fit = _bayes if len(target.labels) > MANY_LABELS else _logistic
    loss, weight, bias = _best(fit, rows[0], rows[1], strengths, seed)
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

    if len(np.unique(train[1])) == 1:  # a label of a set that every training row has, or none
        certain = 30.0 if train[1][0] else -30.0
        return 0.0, np.zeros((1, train[0].shape[1])), np.array([certain])
    model = LogisticRegression(C=strength, max_iter=500, random_state=seed).fit(*train)
    return _log_loss(model, val) if len(val[1]) else 0.0, model.coef_, model.intercept_


def _log_loss(model: Any, val: Part) -> float:
    """scikit-learn's, bit for bit, whose checks of its arguments take as long as a fit of few rows."""
    from scipy.special import xlogy

    probabilities = model.predict_proba(val[0])
    own = probabilities[np.arange(len(val[1])), np.searchsorted(model.classes_, val[1])]
    least = np.finfo(own.dtype).eps
    return float(np.mean(-xlogy(1.0, np.clip(own, least, 1 - least))))


def _bayes(train: Part, val: Part, strength: float, seed: int) -> tuple[float, Floats, Floats]:
    """(validation log loss, weights, biases) of naive Bayes, smoothed by one over `strength`."""
    from sklearn.naive_bayes import MultinomialNB

    model = MultinomialNB(alpha=1 / strength).fit(*train)
    return _log_loss(model, val), model.feature_log_prob_, model.class_log_prior_


def _ridge(train: Part, val: Part, strength: float, seed: int) -> tuple[float, Floats, Floats]:
    """(validation squared error, weights, biases)."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1 / strength, solver="lsqr", random_state=seed).fit(*train)
    error = float(np.mean((model.predict(val[0]) - val[1]) ** 2))
    return error, np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
