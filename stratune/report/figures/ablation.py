"""Ablation: how the score changes without each section, or without the turns of each role."""

from __future__ import annotations

from stratune.report import human
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import INK, PALETTE, by_row, panel, to_svg


@figure("parts", title="Change of the test metric without each part of the texts", order=70)
def parts(scene: Scene) -> str | None:
    """Paired changes with their intervals: of the model as it is, and of one trained without the part."""
    found = scene.comparison.ablation
    if found is None:
        return None
    drawing, axes = panel(6.4, 1.4 + 0.55 * len(found["parts"]))
    ways = (("change", "the same model", -0.12, "o"), ("trained_change", "trained without it", 0.12, "D"))
    for number, (key, called, shift, marker) in enumerate(ways):
        shown = [(row, one[key]) for row, one in enumerate(found["parts"]) if one[key] is not None]
        if not shown:
            continue
        for row, change in shown:
            ends = [change["low"], change["high"]]
            axes.plot(ends, [row + shift] * 2, color=PALETTE[number], linewidth=2.2, alpha=0.55)
        rows, values = [row + shift for row, _ in shown], [change["value"] for _, change in shown]
        axes.plot(values, rows, marker, color=PALETTE[number], markersize=7, label=called)
    axes.axvline(0.0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    names = [f"{human.short(one['part'], 40)} ({one['words']:.0%} of the words)" for one in found["parts"]]
    by_row(axes, names)
    axes.set_xlabel(f"change of test {scene.shown_metric} without it, 95 % interval{scene.direction}")
    axes.set_title(f"Score of {human.short(found['strategy'], 40)} without each part")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return to_svg(drawing)
