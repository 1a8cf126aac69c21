"""Hundreds of labels: pictures and tables show the worst, CSV files beside them have all.

A picture of K labels by K has K² cells: of 1,200 labels 675 MB. What is drawn has SHOWN labels at most; what
is written grows with the labels and the rows.

    plots/labels.csv                   rows of each label in each part
    plots/labels-STRATEGY@BACKBONE.csv      precision, recall and F1 of each label on test, with intervals
    plots/confusion-STRATEGY@BACKBONE.csv   truth, prediction and count of each pair that occurs on test
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.metrics import PER_LABEL
from stratune.report import human
from stratune.report.comparison import Comparison, Entry

Row = dict[str, Any]  # of the leaderboard
Counts = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]

SHOWN = 30  # labels of a picture or a table


def are_many(comparison: Comparison) -> bool:
    return len(comparison.task.labels) > SHOWN


def shown(row: Row, comparison: Comparison) -> list[int]:
    """Positions of the labels to show of a strategy: all in their order, or of many the worst.

    These have rows in test and the lowest F1; of equals first the one with most rows.
    """
    labels = comparison.task.labels
    if not are_many(comparison):
        return list(range(len(labels)))
    rows = comparison.balance.get("test", {})
    scores = {position: row["test"].get(f"f1[{label}]") for position, label in enumerate(labels)}

    def badness(position: int) -> tuple[bool, float, int]:
        found, count = scores[position], rows.get(labels[position], 0)
        return count == 0, found["value"] if found else 1.0, -count

    return sorted(range(len(labels)), key=badness)[:SHOWN]


def rarest(comparison: Comparison) -> list[int]:
    """Positions of the labels to show of the data: all in their order, or of many those with fewest rows."""
    labels = comparison.task.labels
    if not are_many(comparison):
        return list(range(len(labels)))
    totals = [sum(counts.get(label, 0) for counts in comparison.balance.values()) for label in labels]
    return sorted(range(len(labels)), key=lambda position: totals[position])[:SHOWN]


def confused(entry: Entry) -> Counts:
    """(P,) truth, prediction and count of each pair on test, summed over seeds; label K is an invalid answer.

    In the order of the pairs.
    """
    parts = [run.predictions["test"] for run in entry.ok]
    width = parts[0].predictions.shape[1] + 1
    cells = [part.truth * width + part.decided for part in parts]
    found, counts = np.unique(np.concatenate(cells), return_counts=True)
    return found // width, found % width, counts


def tables(comparison: Comparison, rows: Iterable[tuple[Entry, Row]]) -> dict[str, str]:
    """File stem -> CSV. None where the labels are few: the page has them all."""
    if not are_many(comparison):
        return {}
    found = {"labels": _balance(comparison)}
    for entry, row in rows:
        stem = human.file_name(entry.strategy, entry.backbone)
        found[f"labels-{stem}"] = _by_label(comparison, row)
        if comparison.task.target.one_label:
            found[f"confusion-{stem}"] = _pairs(comparison.task.labels, entry)
    return found


def _balance(comparison: Comparison) -> str:
    parts = list(comparison.balance)
    lines = (
        [label, *(comparison.balance[p].get(label, 0) for p in parts)] for label in comparison.task.labels
    )
    return _csv(["label", *parts], lines)


def _by_label(comparison: Comparison, row: Row) -> str:
    ends = (("", "value"), ("_low", "low"), ("_high", "high"))
    heads = [f"{family}{suffix}" for family in PER_LABEL for suffix, _ in ends]
    rows = comparison.balance.get("test", {})

    def line(label: str) -> list[Any]:
        each = [row["test"].get(f"{family}[{label}]", {}) for family in PER_LABEL]
        return [label, *(one.get(end) for one in each for _, end in ends), rows.get(label, 0)]

    return _csv(["label", *heads, "test_rows"], map(line, comparison.task.labels))


def _pairs(labels: Sequence[str], entry: Entry) -> str:
    """Most frequent first."""
    truth, predictions, counts = confused(entry)
    names = [*labels, "(invalid)"]
    order = np.argsort(-counts, kind="stable")
    return _csv(
        ["truth", "prediction", "count"],
        ([names[truth[i]], names[predictions[i]], counts[i]] for i in order),
    )


def _csv(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(heads)
    table.writerows([human.spreadsheet(cell) for cell in line] for line in lines)
    return text.getvalue()
