"""ROC curves of test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stratune.data.predictions import Predictions
from stratune.evaluate.arrays import Flags, Floats
from stratune.evaluate.ranking import roc_points
from stratune.report.comparison import Entry
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import FAINT, panel, to_svg


@figure("roc", title="ROC curves", order=40)
def roc(scene: Scene) -> str | None:
    """The mean over seeds and labels; of two classes only the second is drawn. Numbers have no such curve."""
    drawing, axes = panel(6.4, 4.2)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.2)
    drawn = 0
    grid = np.linspace(0, 1, 201)
    for entry, row, name, style in zip(scene.entries, scene.rows, scene.names, scene.looks, strict=True):
        curve = mean_roc(entry, grid) if "roc_auc" in row["test"] else None
        if curve is not None:
            drawn += 1
            label = f"{name}  {row['test']['roc_auc']['value']:.3f}"
            axes.plot([0, *grid], [0, *curve], color=style.color, linestyle=style.dash, label=label)
    if not drawn:
        return None
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal")
    axes.grid()
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.set_title(f"ROC on test, {_of(scene)}")
    axes.legend(title="AUC", alignment="left", loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)
    return to_svg(drawing)


def _of(scene: Scene) -> str:
    if scene.target.several_labels:
        return "mean over labels"
    return f"of {scene.labels[1]!r}" if len(scene.labels) == 2 else "macro, one against the rest"


def mean_roc(entry: Entry, grid: Floats) -> Floats | None:
    """True positive rate at each false positive rate of `grid`, averaged over seeds and labels."""
    curves = []
    for run in entry.ok:
        part = run.predictions["test"]
        if part.invalid.any():  # answers without a probability have no curve
            continue
        for positive, scores in against_the_rest(part):
            points = roc_points(positive, scores)
            if points is not None:
                curves.append(np.interp(grid, *points))
    return np.mean(curves, axis=0) if curves else None


def against_the_rest(part: Predictions) -> Iterator[tuple[Flags, Floats]]:
    """For each label whose curve counts: (N,) whether a row has it, and (N,) the label's probability."""
    label_count = part.predictions.shape[1]
    if part.truth.ndim == 2:  # label sets: each label is a yes-or-no question of its own
        yield from ((part.truth[:, label] == 1, part.predictions[:, label]) for label in range(label_count))
        return
    for label in [1] if label_count == 2 else range(label_count):
        yield part.truth == label, part.predictions[:, label]
