"""F1 of each label of a multilabel task, for each strategy."""

from __future__ import annotations

import numpy as np

from stratune.report import many_labels
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import INK, panel, to_svg

_ENTRIES = (3, 8)  # strategies shown, at least and at most; the page's tables have all
_BARS = 90  # more do not fit a page


@figure("labels", title="F1 of each label", order=50, tall=True)
def label_f1(scene: Scene) -> str | None:
    """On test, with 95 % intervals; the best strategy first. A single label has the confusion matrix."""
    if not scene.target.several_labels:
        return None
    if not any(row["test"] for row in scene.rows):
        return None
    first = next(row for row in scene.rows if row["test"])
    positions = many_labels.shown(first, scene.comparison)
    labels = [scene.comparison.task.labels[position] for position in positions]
    few, many = _ENTRIES
    fitting = min(many, max(few, _BARS // len(labels)))
    shown = [i for i, row in enumerate(scene.rows) if row["test"]][:fitting]
    crowded = len(labels) * len(shown) > 60
    thick = 0.085 if crowded else 0.15  # inches of a bar
    drawing, axes = panel(6.4, 1.3 + len(labels) * (thick * len(shown) + 0.12))
    height = 0.82 / len(shown)
    for bar, i in enumerate(shown):
        estimates = [scene.rows[i]["test"][f"f1[{label}]"] for label in labels]
        value, low, high = (np.array([one[end] for one in estimates]) for end in ("value", "low", "high"))
        rows = np.arange(len(labels)) + (bar - (len(shown) - 1) / 2) * height
        axes.barh(rows, value, height * 0.9, color=scene.looks[i].color, label=scene.names[i])
        axes.hlines(rows, low, high, color=INK, linewidth=0.5 if crowded else 0.8, alpha=0.7)
    axes.set_yticks(
        range(len(labels)),
        [scene.labels[position] for position in positions],
        fontsize=7 if len(labels) > 16 else None,
    )
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(0, 1.02)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    axes.set_xlabel("F1 on test, 95 % interval")
    best = f", the best {len(shown)} strategies" if len(shown) < len(scene.rows) else ""
    all_labels = len(scene.labels)
    each = "each label" if len(labels) == all_labels else f"the {len(labels)} worst labels of {all_labels:,}"
    axes.set_title(f"F1 of {each}{best}")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)
    return to_svg(drawing)
