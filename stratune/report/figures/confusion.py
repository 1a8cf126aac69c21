"""Confusion matrix: which label is taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np

from stratune.evaluate import classes
from stratune.report.comparison import Entry
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import PAPER, panel, shades, to_svg


@figure("confusion", title="Confusion matrix", order=10, section="entry")
def confusion(scene: Scene, entry: Entry) -> str | None:
    """Counts on test summed over seeds, shaded by the share of the row. Label sets have `labels` instead."""
    if not scene.target.one_label:
        return None
    counts = summed_confusion(entry)
    columns = scene.labels + (["invalid"] if counts.shape[1] > len(scene.labels) else [])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 0.78 if len(columns) <= 6 else min(0.56, 11 / len(columns))  # inches of a cell
    small = 7 if len(columns) > 20 else None
    drawing, axes = panel(2.6 + side * len(columns), 1.7 + side * 0.8 * len(scene.labels))
    edges = [np.arange(length + 1) - 0.5 for length in reversed(shares.shape)]  # whole numbers are centres
    axes.pcolormesh(*edges, shares, cmap=shades(), vmin=0, vmax=1, edgecolors=PAPER, linewidth=0.8)
    axes.invert_yaxis()
    if len(columns) <= 12:
        for (down, across), share in np.ndenumerate(shares):
            ink = "#ffffff" if share > 0.55 else "#111111"
            text = f"{counts[down, across]:,}\n{share:.0%}"
            axes.text(across, down, text, ha="center", va="center", color=ink, fontsize=8.5)
    slant = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if max(map(len, columns)) > 8 else {}
    axes.set_xticks(range(len(columns)), columns, fontsize=small, **slant)  # type: ignore[arg-type]
    axes.set_yticks(range(len(scene.labels)), scene.labels, fontsize=small)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("prediction")
    axes.set_ylabel("truth")
    axes.set_title(scene.name_of(entry))
    return to_svg(drawing)


def summed_confusion(entry: Entry) -> Any:
    """Counts (K, K), summed over seeds; (K, K + 1) where some answers were invalid."""
    parts = [run.predictions["test"] for run in entry.ok]
    counts = sum(classes.confusion(part.truth, part.predictions, invalid=part.invalid) for part in parts)
    return counts if counts[:, -1].any() else counts[:, :-1]  # type: ignore[index]
