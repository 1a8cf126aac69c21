"""Learning curves: the validation metric by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from stratune.evaluate.arrays import Floats
from stratune.report.comparison import Entry
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import panel, to_svg


@figure("learning", title="Validation metric by epoch", order=30)
def learning(scene: Scene) -> str | None:
    """The mean over seeds as a line, their range as a band."""
    drawing, axes = panel(6.4, 3.8)
    drawn = 0
    for entry, name, style in zip(scene.entries, scene.names, scene.looks, strict=True):
        epochs, mean, low, high = by_epoch(entry)
        if len(epochs):
            drawn += 1
            line: dict[str, Any] = {"marker": style.marker, "markersize": 4.5, "linestyle": style.dash}
            axes.plot(epochs, mean, label=name, color=style.color, **line)
            axes.fill_between(epochs, low, high, color=style.color, alpha=0.15, linewidth=0)
    if not drawn:
        return None
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"validation {scene.shown_metric}{scene.direction}")
    axes.set_title("Learning, mean and range over seeds")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return to_svg(drawing)


def by_epoch(entry: Entry) -> tuple[Floats, Floats, Floats, Floats]:
    """(E,) epochs and, at each, mean, lowest and highest validation value over the seeds that got there."""
    values: dict[float, list[float]] = {}
    for run in entry.ok:
        for line in run.history:
            if line.get("val") is not None and line.get("epoch") is not None:
                values.setdefault(round(line["epoch"], 3), []).append(line["val"])
    epochs = sorted(values)
    columns = [[reduce(values[epoch]) for epoch in epochs] for reduce in (np.mean, min, max)]
    mean, low, high = (np.asarray(column, dtype=np.float64) for column in columns)
    return np.asarray(epochs, dtype=np.float64), mean, low, high
