"""Which label is taken for which: the whole matrix of few labels, the most frequent confusions of many."""

from __future__ import annotations

from typing import Any

import numpy as np

from stratune.report import many_labels
from stratune.report.comparison import Entry
from stratune.report.figures.confusion import confusion_of
from stratune.task import Task

WHOLE = 12  # labels of a matrix that can be read
LISTED = 15


def of(entry: Entry, task: Task) -> dict[str, Any]:
    """`confusion`: {columns, rows: [(label, [(count, share of the row)])]}, and `confusions`: [(truth,
    prediction, count, share of the truth)]; None where there is nothing of the kind. All seeds together.
    """
    if not entry.ok or not task.target.one_label:
        return {"confusion": None, "confusions": None}
    return {
        "confusion": _matrix(entry, task) if len(task.labels) <= WHOLE else None,
        "confusions": _frequent(entry, task) if len(task.labels) > 2 else None,
    }


def _matrix(entry: Entry, task: Task) -> dict[str, Any]:
    counts, more = confusion_of(entry, range(len(task.labels)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    rows = [
        (label, list(zip(line.tolist(), share.tolist(), strict=True)))
        for label, line, share in zip(task.labels, counts, shares, strict=True)
    ]
    return {"columns": [*task.labels, *more], "rows": rows}


def _frequent(entry: Entry, task: Task) -> list[tuple[str, str, int, float]]:
    truth, said, counts = many_labels.confused(entry)
    totals = np.bincount(truth, weights=counts, minlength=len(task.labels))
    wrong = np.flatnonzero(truth != said)
    names = [*task.labels, "(no label)"]
    order = wrong[np.argsort(-counts[wrong], kind="stable")][:LISTED]
    return [
        (names[truth[k]], names[said[k]], int(counts[k]), float(counts[k] / totals[truth[k]])) for k in order
    ]
