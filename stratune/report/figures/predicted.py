"""Predicted against true values of a regression."""

from __future__ import annotations

from stratune.report import human
from stratune.report.comparison import Entry
from stratune.report.figure import figure
from stratune.report.scatter import pairs, points
from stratune.report.scene import Scene
from stratune.report.style import INK, panel, to_svg

_SHOWN = (("pearson", "r"), ("rmse", "RMSE"))


@figure("predicted", title="Predicted against true values", order=20, section="entry")
def predicted(scene: Scene, entry: Entry) -> str | None:
    """Of test, all seeds together. A prediction on the dashed line is right."""
    if not scene.target.is_numeric:
        return None
    truth, predictions, left_out = pairs(entry)
    if not len(truth):
        return None
    drawing, axes = panel(5.2, 4.8)
    low, high = min(truth.min(), predictions.min()), max(truth.max(), predictions.max())
    room = 0.04 * (high - low) or 1.0
    span = (low - room, high + room)
    points(axes, truth, predictions, (*span, *span))
    axes.plot(span, span, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.set_xlim(span)
    axes.set_ylim(span)
    axes.set_aspect("equal")
    label = human.short(scene.comparison.task.label)
    axes.set_xlabel(f"true {label}{left_out}")
    axes.set_ylabel(f"predicted {label}")
    test = scene.row_of(entry)["test"]
    scores = [f"{sign} {human.score(test[metric]['value'])}" for metric, sign in _SHOWN if metric in test]
    axes.set_title(f"{scene.name_of(entry)}: {', '.join(scores)}")
    return to_svg(drawing)
