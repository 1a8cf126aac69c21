"""What the figures of a regression share: pairs of values, and a cloud of points."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stratune.evaluate.arrays import Floats
from stratune.report.comparison import Entry
from stratune.report.style import FAINT, PALETTE, shades

_MANY = 1500  # more points than this hide each other, and make a heavy page


def pairs(entry: Entry) -> tuple[Floats, Floats, str]:
    """(N,) true and (N,) predicted values of test over seeds; and a note on answers that were no number."""
    parts = [run.predictions["test"] for run in entry.ok]
    truth = np.concatenate([part.truth[~part.invalid] for part in parts])
    predictions = np.concatenate([part.predictions[~part.invalid, 0] for part in parts])
    invalid = sum(int(part.invalid.sum()) for part in parts)
    return truth, predictions, f" (without {invalid:,} invalid answers)" if invalid else ""


def points(axes: Axes, x: Floats, y: Floats, extent: tuple[float, float, float, float]) -> None:
    """Points; or, where they are many, how many lie in each hexagon (darker is more, by orders of magnitude).

    `extent`: lowest and highest x, lowest and highest y.
    """
    axes.grid(color=FAINT)
    if len(x) < _MANY:
        axes.plot(x, y, "o", color=PALETTE[0], alpha=0.35, markersize=3.6, markeredgewidth=0)
        return
    # Rows of hexagons with equal sides lie closer than their columns: fewer cells down than across.
    cells: Any = {"gridsize": (36, 20), "extent": extent, "mincnt": 1, "bins": "log", "linewidths": 0.1}
    axes.hexbin(x, y, cmap=shades("#bcd7ea"), **cells)  # the lightest shade still shows a single row
