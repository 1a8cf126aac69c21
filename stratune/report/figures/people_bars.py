"""Agreement with people: each model against the raters, beside one rater against the others."""

from __future__ import annotations

from stratune.report import human, people
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import INK, by_row, panel, to_svg


@figure("people", title="Agreement with people", order=10, section="people")
def people_bars(scene: Scene) -> str | None:
    """Bars: a model against all raters, with its interval. Diamonds: a model against all raters but one, the
    way the single rater was measured. Dashed line and band: that rater's value and interval.
    """
    agreement = scene.board.get("people")
    if not agreement:
        return None
    name, sign = people.measures(scene.board)[0]
    shown = [
        (i, row["with_people"])
        for i, row in enumerate(scene.rows)
        if name in row.get("with_people", {}).get("all", {})
    ]
    if not shown:
        return None
    drawing, axes = panel(6.4, 1.6 + 0.36 * len(shown))
    for line, (i, found) in enumerate(shown):
        whole, alike = found["all"][name], found.get("others", {}).get(name)
        axes.barh(line, whole["value"], 0.62, color=scene.looks[i].color, alpha=0.85)
        axes.hlines(line, whole["low"], whole["high"], color=INK, linewidth=1.0)
        if alike is not None:
            called = "against all but one" if line == 0 else None
            axes.plot(alike["value"], line, "D", color=INK, markersize=4.5, label=called, linestyle="none")
        beside = (1.02, line)
        axes.annotate(human.score(whole["value"]), beside, xycoords=("axes fraction", "data"), va="center")
    if name in agreement["ceiling"]:
        ceiling = agreement["ceiling"][name]
        axes.axvspan(ceiling["low"], ceiling["high"], color=INK, alpha=0.12, linewidth=0)
        called = f"one rater against the others: {human.score(ceiling['value'])}"
        axes.axvline(ceiling["value"], color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=called)
    by_row(axes, [scene.names[i] for i, _ in shown])
    lowest = min(found["all"][name]["low"] for _, found in shown)
    axes.set_xlim(min(0.0, lowest), 1.0)
    axes.set_xlabel(f"{sign} with the {people.target(scene.board)} of the raters, 95 % interval")
    axes.set_title("Agreement with people")
    if axes.get_legend_handles_labels()[0]:  # neither, where every row has one rating
        drawing.legend(loc="outside lower left", ncols=2, fontsize=8.5)
    return to_svg(drawing)
