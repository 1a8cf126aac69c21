"""Precision, recall and F1 of each label, from how often it was true, predicted, and both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stratune.evaluate.arrays import Floats, share
from stratune.evaluate.ranking import Ranking

PER_LABEL = ("precision", "recall", "f1")  # also by label: f1[positive]


def families(hit: Floats, predictions: Floats, true: Floats) -> dict[str, Floats]:
    """Counts of one shape -> PER_LABEL of that shape; 0/0 is 0.0."""
    values = (share(hit, predictions), share(hit, true), share(2 * hit, predictions + true))
    return dict(zip(PER_LABEL, values, strict=True))


def by_label(family: str, values: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """Values (K, R) of one family -> `f1[label]`: (R,)."""
    return {f"{family}[{label}]": row for label, row in zip(labels, values, strict=True)}


def mean_areas(rankings: Sequence[Ranking], weights: Floats, total: Floats) -> tuple[Floats, Floats]:
    """ROC-AUC (R,) and average precision (R,), means over the labels that have both rows and others."""
    areas = [ranking.areas(weights, total) for ranking in rankings]
    roc, precision = (np.stack(column) for column in zip(*areas, strict=True))  # (labels, R)
    # one rule for both: average precision of a label that every row has would be a meaningless 1
    precision = np.where(np.isnan(roc), np.nan, precision)
    return _mean_of_defined(roc), _mean_of_defined(precision)


def _mean_of_defined(values: Floats) -> Floats:
    """Mean over labels (K, R) -> (R,) of what is not NaN; NaN when nothing is left (numpy would warn)."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    summed: Floats = np.where(defined, values, 0.0).sum(axis=0)
    mean: Floats = np.divide(summed, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return mean
