"""The figures of a regression: how close the numbers are, and where they are off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from stratune.evaluate.arrays import Floats
from stratune.report import human
from stratune.report.style import FAINT, INK, PALETTE, panel, shades, to_svg

if TYPE_CHECKING:
    from stratune.report.comparison import Entry
    from stratune.report.scene import Scene

_SIGNS = (("pearson", "r"), ("rmse", "RMSE"))
_MANY = 1500  # from here on points hide each other (and make a heavy page): cells are counted instead


def predicted(scene: Scene, entry: Entry, name: str) -> str | None:
    """Predicted against true values of test, all seeds together; on the line is right."""
    truth, predictions, left_out = _pairs(entry)
    if not len(truth):
        return None
    figure, axes = panel(5.2, 4.8)
    low, high = min(truth.min(), predictions.min()), max(truth.max(), predictions.max())
    room = 0.04 * (high - low) or 1.0
    span = (low - room, high + room)
    _crowd(axes, truth, predictions, (*span, *span))
    axes.plot(span, span, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.set_xlim(span)
    axes.set_ylim(span)
    axes.set_aspect("equal")
    axes.set_xlabel(f"true {_called(scene)}{left_out}")
    axes.set_ylabel(f"predicted {_called(scene)}")
    test = scene.row_of(entry)["test"]
    said_so = [f"{sign} {human.score(test[one]['value'])}" for one, sign in _SIGNS if one in test]
    axes.set_title(f"{name}: {', '.join(said_so)}")
    return to_svg(figure)


def residuals(scene: Scene, entry: Entry, name: str) -> str | None:
    """Residuals against predictions of test: a running mean off the line is a bias somewhere."""
    truth, predictions, left_out = _pairs(entry)
    if not len(truth):
        return None
    figure, axes = panel(5.6, 3.9)
    residual = predictions - truth
    reach = 1.06 * float(abs(residual).max()) or 1.0  # the same on both sides: bias shows as being off centre
    room = 0.04 * np.ptp(predictions) or 1.0
    across = (predictions.min() - room, predictions.max() + room)
    _crowd(axes, predictions, residual, (*across, -reach, reach))
    axes.axhline(0.0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    if np.ptp(predictions):  # neighbours of a constant prediction are any rows
        window = min(len(predictions), max(20, len(predictions) // 15))
        axes.plot(
            *_running(predictions, residual, window), color=PALETTE[1], label=f"running mean of {window} rows"
        )
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, -0.3), borderpad=0)
    axes.set_xlim(across)
    axes.set_ylim(-reach, reach)
    axes.set_xlabel(f"predicted {_called(scene)}{left_out}")
    axes.set_ylabel("predicted - true")
    axes.set_title(f"{name}: residuals")
    return to_svg(figure)


def _pairs(entry: Entry) -> tuple[Floats, Floats, str]:
    """True and predicted values over seeds, and what to say of the answers that were no number."""
    parts = [run.predictions["test"] for run in entry.ok]
    truth = np.concatenate([part.truth[~part.invalid] for part in parts])
    predictions = np.concatenate([part.predictions[~part.invalid, 0] for part in parts])
    invalid = sum(int(part.invalid.sum()) for part in parts)
    return truth, predictions, f" (without {invalid:,} invalid answers)" if invalid else ""


def _crowd(axes: Axes, x: Floats, y: Floats, extent: tuple[float, float, float, float]) -> None:
    """Points, or how many there are in each hexagon (darker is more, by orders of magnitude)."""
    axes.grid(color=FAINT)
    if len(x) < _MANY:
        axes.plot(x, y, "o", color=PALETTE[0], alpha=0.35, markersize=3.6, markeredgewidth=0)
        return
    # hexagons with equal sides on the page: rows of them lie closer than columns
    cells: Any = {"gridsize": (36, 20), "extent": extent, "mincnt": 1, "bins": "log", "linewidths": 0.1}
    axes.hexbin(x, y, cmap=shades("#bcd7ea"), **cells)  # one row must be seen, too


def _running(x: Floats, y: Floats, window: int, points: int = 200) -> tuple[Floats, Floats]:
    """Means of `window` neighbours in the order of x, at no more than `points` places."""
    order = np.argsort(x, kind="stable")
    sums = np.concatenate([np.zeros((2, 1)), np.cumsum([x[order], y[order]], axis=1)], axis=1)
    means = (sums[:, window:] - sums[:, :-window]) / window  # (2, N - window + 1)
    shown = np.unique(np.linspace(0, means.shape[1] - 1, points).astype(int))
    return means[0, shown], means[1, shown]


def _called(scene: Scene) -> str:
    return human.short(scene.comparison.task.label)
