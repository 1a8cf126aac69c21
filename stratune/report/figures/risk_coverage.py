"""Risk and coverage: how many errors are left when only the most confident answers are given."""

from __future__ import annotations

import numpy as np

from stratune.data.predictions import Predictions
from stratune.evaluate.arrays import Floats
from stratune.evaluate.selective import RiskCoverage
from stratune.report.comparison import Entry
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import panel, to_svg


@figure("risk_coverage", title="Errors among the most confident answers", order=45)
def risk_coverage(scene: Scene) -> str | None:
    """Of test, the mean over seeds. One label of several only: sets and values have no one confidence."""
    if not scene.target.one_label or not scene.entries:
        return None
    drawing, axes = panel(6.4, 4.2)
    grid = np.linspace(0.02, 1, 99)
    for entry, row, name, style in zip(scene.entries, scene.rows, scene.names, scene.looks, strict=True):
        area = row["test"].get("aurc")
        label = f"{name}  {area['value']:.3f}" if area else name
        axes.plot(grid, _mean_risk(entry, grid), color=style.color, linestyle=style.dash, label=label)
    axes.set_xlim(0, 1.01)
    axes.set_ylim(bottom=0)
    axes.grid()
    axes.set_xlabel("share of the test rows that are answered, the most confident first")
    axes.set_ylabel("share of errors among them")
    axes.set_title("Risk and coverage on test")
    axes.legend(title="area", alignment="left", loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)
    return to_svg(drawing)


def _mean_risk(entry: Entry, grid: Floats) -> Floats:
    """The risk at each coverage of `grid`, mean over seeds."""
    curves = [np.interp(grid, *_curve(run.predictions["test"])) for run in entry.ok]
    return np.asarray(np.mean(curves, axis=0))


def _curve(part: Predictions) -> tuple[Floats, Floats]:
    """Coverages, and the risk at each: the confidence is the probability of what was answered."""
    answered = np.append(part.predictions, np.zeros((len(part.truth), 1)), axis=1)
    confidence = np.where(part.invalid, -np.inf, answered[np.arange(len(part.truth)), part.decided])
    return RiskCoverage(confidence, part.decided != part.truth).points()
