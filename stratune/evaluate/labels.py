"""Precision, recall and F1 of each label, from how often it was true, predicted, and both.

A macro mean is over the labels that are true or predicted somewhere, as scikit-learn has it: a label that no
row has, and no prediction names, is left out; one that is only predicted counts as 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stratune.evaluate.arrays import Floats, share
from stratune.evaluate.proportions import AREA, F1_SCORE, SHARE, Proportions
from stratune.evaluate.ranking import Ranking

PER_LABEL = ("precision", "recall", "f1")  # also by label: f1[positive]


def families(hit: Floats, predictions: Floats, true: Floats) -> dict[str, Floats]:
    """Counts of one shape -> PER_LABEL of that shape; 0/0 is 0.0."""
    values = (share(hit, predictions), share(hit, true), share(2 * hit, predictions + true))
    return dict(zip(PER_LABEL, values, strict=True))


def by_label(family: str, values: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """Values (K, R) of one family -> `f1[label]`: (R,)."""
    return {f"{family}[{label}]": row for label, row in zip(labels, values, strict=True)}


def macro(values: Floats, predictions: Floats, true: Floats) -> Floats:
    """Values and counts (K, R) -> their mean over labels (R,); 0.0 where nothing is true or predicted."""
    present = (predictions + true) > 0
    return share((values * present).sum(axis=0), present.sum(axis=0).astype(np.float64))


def proportions(hit: Floats, predictions: Floats, true: Floats) -> dict[str, Proportions]:
    """Counts (K,) -> PER_LABEL, each with its trials."""
    values = families(hit, predictions, true)
    wrong = predictions + true - hit
    return {
        "precision": Proportions(values["precision"], predictions, SHARE, by_row=True),
        "recall": Proportions(values["recall"], true, SHARE, by_row=True),
        # a mistake is a wrong row of one label and a missed row of another
        "f1": Proportions(values["f1"], wrong, F1_SCORE, by_row=True, shared=2.0),
    }


def macro_means(
    each: dict[str, Proportions], predictions: Floats, true: Floats
) -> dict[str, tuple[Proportions, Floats]]:
    """`f1_macro` and the like: proportions (K,) of each family, and the weights of `macro`."""
    present = (predictions + true) > 0
    weights = present / max(present.sum(), 1)
    return {f"{family}_macro": (values, weights) for family, values in each.items()}


def area_proportions(rankings: Sequence[Ranking], rows: int) -> tuple[Proportions, Floats]:
    """ROC-AUC of each label (m,), and its weight in the mean: 0 where it is undefined."""
    once = np.ones((rows, 1))
    areas = np.array([ranking.areas(once, np.array([float(rows)]))[0][0] for ranking in rankings])
    defined = ~np.isnan(areas)
    positives = np.array([ranking.positives for ranking in rankings], dtype=np.float64)
    trials = np.stack([positives, rows - positives])
    weights = defined / max(defined.sum(), 1)
    return Proportions(np.where(defined, areas, 0.5), trials, AREA, by_row=True), weights


def ranked_rows(areas: Proportions, weights: Floats) -> float:
    """How many rows average precision is about: those of the labels that it is a mean over."""
    return float(areas.trials[0] @ (weights > 0))


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
