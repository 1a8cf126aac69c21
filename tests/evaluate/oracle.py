"""Simulated predictions, and the same scores from scikit-learn."""

import numpy as np
from sklearn import metrics as oracle


def simulated(rows, label_count, seed, *, decimals=2):
    """Truth and probabilities with many ties (rounded), every label present."""
    draws = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(label_count), draws.integers(0, label_count, rows - label_count)])
    odds = (
        np.round(np.exp(draws.normal(size=(rows, label_count)) + np.eye(label_count)[truth]), decimals) + 0.01
    )
    return truth, odds / odds.sum(axis=1, keepdims=True)


def sklearn_scores(truth, probabilities, labels):
    """The same dictionary, from scikit-learn."""
    index, guess = range(len(labels)), probabilities.argmax(axis=1)
    values = {"accuracy": oracle.accuracy_score(truth, guess), "mcc": oracle.matthews_corrcoef(truth, guess)}
    for average in ("macro", "weighted", None):
        found = oracle.precision_recall_fscore_support(
            truth, guess, labels=index, average=average, zero_division=0
        )
        for family, value in zip(("precision", "recall", "f1"), found[:3], strict=True):
            if average:
                values[f"{family}_{average}"] = value
            else:
                values.update({f"{family}[{label}]": value[i] for i, label in enumerate(labels)})
    ranked = [1] if len(labels) == 2 else index
    values["roc_auc"] = np.mean([oracle.roc_auc_score(truth == k, probabilities[:, k]) for k in ranked])
    values["pr_auc"] = np.mean(
        [oracle.average_precision_score(truth == k, probabilities[:, k]) for k in ranked]
    )
    values["log_loss"] = oracle.log_loss(truth, probabilities, labels=list(index))
    return values
