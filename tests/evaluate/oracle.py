"""Simulated predictions, and the same scores from scikit-learn."""

import numpy as np
from scipy import stats
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
    wanted = np.eye(len(labels))[truth]
    squares = ((probabilities - wanted) ** 2).sum(axis=1).mean()
    values["brier"] = squares / 2 if len(labels) == 2 else squares
    values["ece"] = slow_ece(probabilities.max(axis=1), guess == truth)
    values["aurc"] = slow_aurc(probabilities.max(axis=1), guess != truth)
    return values


def slow_ece(confidence, correct):
    """In 15 bins of as equal a size as equal confidences, which share a bin, allow."""
    ordered = np.sort(confidence)
    edges = [ordered[int((len(ordered) - 1) * share / 15)] for share in range(1, 15)]
    gaps = {}
    for one, right in zip(confidence, correct, strict=True):
        gaps.setdefault(sum(one >= edge for edge in edges), []).append(right - one)
    return sum(abs(sum(gap)) for gap in gaps.values()) / len(ordered)


def slow_aurc(confidence, wrong):
    """The share of errors among the rows that are as confident as a row, mean over rows."""
    return np.mean([wrong[confidence >= one].mean() for one in confidence])


def simulated_sets(rows, label_count, seed, *, decimals=2):
    """Multilabel truth (N, K) and probabilities with ties; every label has rows and rows without it."""
    draws = np.random.default_rng(seed)
    truth = draws.random((rows, label_count)) < 0.3
    truth[0], truth[1] = True, False
    logits = draws.normal(size=truth.shape) + 2.0 * truth - 1.0
    return truth.astype(int), np.round(1 / (1 + np.exp(-logits)), decimals).clip(0.001, 0.999)


def simulated_values(rows, seed, *, decimals=1):
    """Regression truth (N,) and predictions (N, 1), rounded so that many tie."""
    draws = np.random.default_rng(seed)
    truth = np.round(draws.normal(size=rows) * 3 + 50, decimals)
    return truth, np.round(truth + draws.normal(size=rows) * 2, decimals)[:, None]


def sklearn_level_scores(truth, probabilities, labels):
    """Ordinal: classification's scores, and those that know the order."""
    guess = probabilities.argmax(axis=1)
    expected = (probabilities * np.arange(len(labels))).sum(axis=1)
    return sklearn_scores(truth, probabilities, labels) | {
        "qwk": oracle.cohen_kappa_score(truth, guess, weights="quadratic", labels=list(range(len(labels)))),
        "mae_levels": oracle.mean_absolute_error(truth, guess),
        "pearson": stats.pearsonr(expected, truth).statistic,
        "spearman": stats.spearmanr(expected, truth).statistic,
    }


def sklearn_set_scores(truth, probabilities, labels):
    """Multilabel; every label has rows and rows without it."""
    chosen = (probabilities >= 0.5).astype(int)
    values = {
        "subset_accuracy": oracle.accuracy_score(truth, chosen),
        "hamming": oracle.hamming_loss(truth, chosen),
        "roc_auc": oracle.roc_auc_score(truth, probabilities, average="macro"),
        "map": oracle.average_precision_score(truth, probabilities, average="macro"),
        "brier": np.mean(
            [oracle.brier_score_loss(*both) for both in zip(truth.T, probabilities.T, strict=True)]
        ),
        "ece": np.mean(
            [slow_ece(said, column) for column, said in zip(truth.T, probabilities.T, strict=True)]
        ),
        "log_loss": np.mean(
            [
                oracle.log_loss(column, said, labels=[0, 1])
                for column, said in zip(truth.T, probabilities.T, strict=True)
            ]
        ),
    }
    for average in ("micro", "macro", None):
        found = oracle.precision_recall_fscore_support(truth, chosen, average=average, zero_division=0)
        for family, value in zip(("precision", "recall", "f1"), found[:3], strict=True):
            if average:
                values[f"{family}_{average}"] = value
            else:
                values.update({f"{family}[{label}]": value[i] for i, label in enumerate(labels)})
    return values


def sklearn_value_scores(truth, said, labels=()):
    said = said[:, 0]
    return {
        "mae": oracle.mean_absolute_error(truth, said),
        "rmse": oracle.root_mean_squared_error(truth, said),
        "r2": oracle.r2_score(truth, said),
        "pearson": stats.pearsonr(said, truth).statistic,
        "spearman": stats.spearmanr(said, truth).statistic,
    }


LABELS = ("a", "b", "c", "d")
# kind -> how to simulate (rows, seed), labels, and scikit-learn's and scipy's answer
KINDS = {
    "classification": (lambda rows, seed: simulated(rows, 3, seed), LABELS[:3], sklearn_scores),
    "ordinal": (lambda rows, seed: simulated(rows, 4, seed), LABELS, sklearn_level_scores),
    "multilabel": (lambda rows, seed: simulated_sets(rows, 4, seed), LABELS, sklearn_set_scores),
    "regression": (simulated_values, (), sklearn_value_scores),
}
