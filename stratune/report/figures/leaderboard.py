"""The test metric of each strategy with its interval."""

from __future__ import annotations

from stratune.report import human
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import by_row, panel, to_svg


@figure("leaderboard", title="Test metric of each strategy with its interval", order=10)
def leaderboard(scene: Scene) -> str | None:
    """In order of rank, which is by validation: intervals that overlap leave the order in doubt."""
    tested = [
        (i, row["test"][scene.metric]) for i, row in enumerate(scene.rows) if scene.metric in row["test"]
    ]
    if not tested:
        return None
    drawing, axes = panel(6.4, 1.1 + 0.34 * len(tested))
    for line, (i, estimate) in enumerate(tested):
        color = scene.looks[i].color
        ends = [estimate["low"], estimate["high"]]
        axes.plot(ends, [line, line], color=color, linewidth=2.2, alpha=0.55)
        axes.plot([estimate["value"]], [line], "o", color=color, markersize=7)
        beside = (1.02, line)
        axes.annotate(human.score(estimate["value"]), beside, xycoords=("axes fraction", "data"), va="center")
    by_row(axes, [scene.names[i] for i, _ in tested])
    axes.set_xlabel(f"test {scene.shown_metric}, 95 % interval{scene.direction}")
    axes.set_title("Ranked by validation, reported on test")
    return to_svg(drawing)
