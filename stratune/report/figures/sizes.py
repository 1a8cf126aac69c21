"""The test metric by the number of training rows, and where the curves go from there."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from stratune.report import sizes
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import INK, Look, panel, to_svg

SHOWN = 8  # strategies: more lines than colours cannot be told apart


@figure("sizes", title="Test metric by the number of training rows", order=10, section="sizes")
def by_size(scene: Scene) -> str | None:
    """Values as markers with their intervals as bands; the extrapolated part of a fitted curve is dashed."""
    found = scene.board.get("sizes")
    if not found:
        return None
    keys = [(row["strategy"], row["backbone"]) for row in scene.rows]
    called = dict(zip(keys, scene.names, strict=True))
    looks = dict(zip(keys, scene.looks, strict=True))
    shown = [one for one in found["strategies"] if sizes.key_of(one) in looks]
    shown = [one for one in shown if not one["floor"]][:SHOWN] or shown[:SHOWN]
    drawing, axes = panel(7.2, 4.2)
    for one in shown:
        key = sizes.key_of(one)
        _line(axes, one, called[key], looks[key])
        _curve(axes, one, looks[key])
    ticks = [point["rows"] for point in found["strategies"][0]["points"]]
    until = max([one["curve"]["points"][-1]["rows"] for one in shown if one["curve"]], default=0)
    if until:
        axes.axvline(ticks[-1], color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        ticks.append(until)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda rows, _: f"{rows:,.0f}")
    axes.grid(axis="y")
    axes.set_xlabel("training rows (log scale)")
    axes.set_ylabel(f"test {scene.shown_metric}{scene.direction}")
    axes.set_title("How many labels" + (", and where it would go from here (dashed)" if until else ""))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return to_svg(drawing)


def _line(axes: Axes, one: dict[str, Any], name: str, style: Look) -> None:
    there = [point for point in one["points"] if point["test"]]
    rows = [point["rows"] for point in there]
    low, value, high = ([point["test"][end] for point in there] for end in ("low", "value", "high"))
    axes.plot(rows, value, label=name, color=style.color, marker=style.marker, markersize=5)
    axes.fill_between(rows, low, high, color=style.color, alpha=0.10, linewidth=0)


def _curve(axes: Axes, one: dict[str, Any], style: Look) -> None:
    """The fitted curve, dotted as far as there are values, and dashed from there on with its band."""
    if one["curve"] is None:
        return
    whole = one["curve"]["points"]
    axes.plot(
        [point["rows"] for point in whole],
        [point["value"] for point in whole],
        color=style.color,
        linestyle=":",
        linewidth=1.0,
    )
    start = one["curve"]["points"][-1]["rows"] - one["curve"]["more"]
    there = [point for point in one["curve"]["points"] if point["rows"] >= start]
    rows = [point["rows"] for point in there]
    low, value, high = ([point[end] for point in there] for end in ("low", "value", "high"))
    axes.plot(rows, value, color=style.color, linestyle="--", linewidth=1.3)
    axes.fill_between(rows, low, high, color=style.color, alpha=0.06, linewidth=0)
