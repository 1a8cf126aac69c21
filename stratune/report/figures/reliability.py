"""Reliability: how often answers come true that are given with some confidence."""

from __future__ import annotations

import numpy as np

from stratune.evaluate.calibration import ConfidenceBins
from stratune.report.comparison import Entry
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import FAINT, panel, to_svg


@figure("reliability", title="Reliability", order=40, section="entry")
def reliability(scene: Scene, entry: Entry) -> str | None:
    """Of test, all seeds together, in bins of equally many rows: on the diagonal probabilities are true.

    Of the most probable label; of label sets of every label by itself. Rows without a valid answer are left
    out, and values have no probabilities.
    """
    if scene.target.is_numeric:
        return None
    confidence, correct = [], []
    for run in entry.ok:
        part = run.predictions["test"]
        p, truth = part.predictions[~part.invalid], part.truth[~part.invalid]
        if scene.target.several_labels:
            confidence.append(p.ravel())
            correct.append(truth.ravel() == 1)
        elif len(p):
            confidence.append(p.max(axis=1))
            correct.append(p.argmax(axis=1) == truth)
    if not sum(map(len, confidence)):
        return None
    expected, found, rows = ConfidenceBins(np.concatenate(confidence), np.concatenate(correct)).points()
    style = scene.looks[scene.entries.index(entry)]
    drawing, axes = panel(4.6, 4.2)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.2)
    axes.plot(expected, found, color=style.color, linewidth=1.2)
    axes.scatter(expected, found, s=10 + 50 * rows / rows.max(), color=style.color, zorder=3)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.grid()
    axes.set_xlabel(
        "probability of the label" if scene.target.several_labels else "probability of the answer"
    )
    axes.set_ylabel("share that came true")
    error = scene.row_of(entry)["test"].get("ece")
    axes.set_title(scene.name_of(entry) + (f": ECE {error['value']:.3f}" if error else ""))
    return to_svg(drawing)
