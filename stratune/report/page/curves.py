"""Curves of one strategy, means over its seeds: on test ROC, precision and recall, reliability; learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stratune.evaluate.arrays import Flags, Floats
from stratune.report.comparison import Entry
from stratune.report.figures.learning import by_epoch
from stratune.report.figures.roc import against_the_rest, mean_roc
from stratune.target import Target

BINS = 10  # of equally many rows
POINTS = 101


def curves(entry: Entry, target: Target) -> dict[str, Any]:
    """Name -> {x, y, ...}; left out where there is nothing to draw."""
    found = {"learning": _learning(entry)}
    if not target.is_numeric:
        grid = np.linspace(0, 1, POINTS)
        found |= {"roc": _xy(grid, mean_roc(entry, grid)), "pr": _xy(grid, _mean(entry, grid, precision_at))}
        found["reliability"] = _reliability(entry, target)
    return {name: curve for name, curve in found.items() if curve is not None}


def _xy(x: Floats, y: Floats | None) -> dict[str, list[float]] | None:
    return None if y is None else {"x": _short(x), "y": _short(y)}


def _mean(entry: Entry, grid: Floats, curve: Callable[[Flags, Floats, Floats], Floats]) -> Floats | None:
    """As mean_roc: over seeds and labels that have rows with and without."""
    found = []
    for run in entry.ok:
        part = run.predictions["test"]
        if part.invalid.any():
            continue
        found += [
            curve(positive, scores, grid)
            for positive, scores in against_the_rest(part)
            if 0 < positive.sum() < len(positive)
        ]
    return np.mean(found, axis=0) if found else None


def precision_at(positive: Flags, scores: Floats, recall: Floats) -> Floats:
    """(R,) the highest precision at which `recall` (R,) is reached, whatever the threshold."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(positive[order])
    last = np.append(np.diff(scores[order]) != 0, True)  # rows of equal score are one threshold
    reached, precision = hits[last] / hits[-1], (hits / np.arange(1, len(hits) + 1))[last]
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return np.asarray(best[np.searchsorted(reached, recall - 1e-12)])


def _reliability(entry: Entry, target: Target) -> dict[str, Any] | None:
    """Mean confidence and share of right answers in bins of equally many answers, and the rows of a bin.

    An answer: the most probable label of a row; of label sets each label of each row, yes or no.
    """
    sure, right = [], []
    for run in entry.ok:
        part = run.predictions["test"]
        valid = ~part.invalid
        scores, truth = part.predictions[valid], part.truth[valid]
        if target.several_labels:
            sure.append(np.maximum(scores, 1 - scores).ravel())
            right.append(((scores >= 0.5) == (truth == 1)).ravel())
        else:
            sure.append(scores.max(axis=1, initial=0))
            right.append(scores.argmax(axis=1) == truth)
    confidence, hit = np.concatenate(sure), np.concatenate(right)
    if len(confidence) == 0 or np.ptp(confidence) < 1e-9:  # a constant has no curve
        return None
    bins = np.array_split(np.argsort(confidence, kind="stable"), min(BINS, len(confidence)))
    x, y = ([float(values[rows].mean()) for rows in bins] for values in (confidence, hit))
    return {"x": _short(x), "y": _short(y), "rows": len(bins[0])}


def _learning(entry: Entry) -> dict[str, Any] | None:
    epochs, mean, low, high = by_epoch(entry)
    losses: dict[float, list[float]] = {}
    for run in entry.ok:
        for line in run.history:
            if line.get("val_loss") is not None and line.get("epoch") is not None:
                losses.setdefault(round(line["epoch"], 3), []).append(line["val_loss"])
    if not len(epochs):
        return None
    loss = [float(np.mean(losses[epoch])) if epoch in losses else None for epoch in epochs]
    return {"x": _short(epochs), "y": _short(mean), "low": _short(low), "high": _short(high), "loss": loss}


def _short(values: Any) -> list[float]:
    return [float(f"{value:.4g}") for value in values]
