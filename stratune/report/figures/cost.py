"""Quality against training time."""

from __future__ import annotations

from matplotlib.ticker import FixedLocator, NullLocator

from stratune.report.figure import figure
from stratune.report.labels import place_labels
from stratune.report.scene import Scene
from stratune.report.style import panel, to_svg

_TIMES = {0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h"}


@figure("cost", title="Test metric against training time", order=20)
def cost(scene: Scene) -> str | None:
    """Up and left is better (down, for an error). A log axis has no zero: times begin at 0.1 s."""
    points = [
        (i, max(row["train_seconds"], 0.1), row["test"][scene.metric]["value"])
        for i, row in enumerate(scene.rows)
        if row["train_seconds"] is not None and scene.metric in row["test"]
    ]
    if not points:
        return None
    drawing, axes = panel(6.4, 4.2)
    for i, seconds, value in points:
        axes.plot([seconds], [value], scene.looks[i].marker, color=scene.looks[i].color, markersize=8)
    axes.set_xscale("log")
    axes.margins(0.12, 0.12)
    axes.grid(which="major")
    axes.xaxis.set_major_locator(FixedLocator(list(_TIMES)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda seconds, _: _TIMES[seconds])
    axes.set_xlabel("training time (log scale)")
    axes.set_ylabel(f"test {scene.shown_metric}{scene.direction}")
    axes.set_title("What it gives, and what it costs")
    place_labels(axes, [(x, y) for _, x, y in points], [scene.names[i] for i, _, _ in points])
    return to_svg(drawing)
