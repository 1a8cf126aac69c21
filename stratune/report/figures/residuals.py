"""Residuals of a regression: where predictions are biased."""

from __future__ import annotations

import numpy as np

from stratune.evaluate.arrays import Floats
from stratune.report import human
from stratune.report.comparison import Entry
from stratune.report.figure import figure
from stratune.report.scatter import pairs, points
from stratune.report.scene import Scene
from stratune.report.style import INK, PALETTE, panel, to_svg


@figure("residuals", title="Residuals against predictions", order=30, section="entry")
def residuals(scene: Scene, entry: Entry) -> str | None:
    """Of test, all seeds together. Where the running mean leaves the dashed line, predictions are biased."""
    if not scene.target.is_numeric:
        return None
    truth, predictions, left_out = pairs(entry)
    if not len(truth):
        return None
    drawing, axes = panel(5.6, 3.9)
    residual = predictions - truth
    reach = 1.06 * float(abs(residual).max()) or 1.0  # equal on both sides: a bias shows as being off centre
    room = 0.04 * np.ptp(predictions) or 1.0
    across = (predictions.min() - room, predictions.max() + room)
    points(axes, predictions, residual, (*across, -reach, reach))
    axes.axhline(0.0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    if np.ptp(predictions):  # neighbours of a constant prediction are any rows
        window = min(len(predictions), max(20, len(predictions) // 15))
        mean = running_mean(predictions, residual, window)
        axes.plot(*mean, color=PALETTE[1], label=f"running mean of {window} rows")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, -0.3), borderpad=0)
    axes.set_xlim(across)
    axes.set_ylim(-reach, reach)
    axes.set_xlabel(f"predicted {human.short(scene.comparison.task.label)}{left_out}")
    axes.set_ylabel("predicted - true")
    axes.set_title(f"{scene.name_of(entry)}: residuals")
    return to_svg(drawing)


def running_mean(x: Floats, y: Floats, window: int, points: int = 200) -> tuple[Floats, Floats]:
    """Means of x and y over `window` neighbours in the order of x, at `points` positions at most."""
    order = np.argsort(x, kind="stable")
    sums = np.concatenate([np.zeros((2, 1)), np.cumsum([x[order], y[order]], axis=1)], axis=1)
    means = (sums[:, window:] - sums[:, :-window]) / window  # (2, N - window + 1)
    shown = np.unique(np.linspace(0, means.shape[1] - 1, points).astype(int))
    return means[0, shown], means[1, shown]
