"""The figure of an ablation: what a model loses without each section, or without what each role says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratune.report import human
from stratune.report.style import INK, PALETTE, by_row, panel, to_svg

if TYPE_CHECKING:
    from stratune.report.scene import Scene


def parts(scene: Scene) -> str | None:
    """Paired changes of the test metric with their intervals: of the model as it is, and of one that was
    trained without the part, too.
    """
    found = scene.comparison.ablation
    if found is None:
        return None
    figure, axes = panel(6.4, 1.4 + 0.55 * len(found["parts"]))
    ways = (("change", "the same model", -0.12, "o"), ("trained_change", "trained without it", 0.12, "D"))
    for number, (key, called, shift, marker) in enumerate(ways):
        shown = [(place, one[key]) for place, one in enumerate(found["parts"]) if one[key] is not None]
        if not shown:
            continue
        for place, change in shown:
            low, high = change["low"], change["high"]
            axes.plot([low, high], [place + shift] * 2, color=PALETTE[number], linewidth=2.2, alpha=0.55)
        places, values = [place + shift for place, _ in shown], [change["value"] for _, change in shown]
        axes.plot(values, places, marker, color=PALETTE[number], markersize=7, label=called)
    axes.axvline(0.0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    names = [f"{human.short(one['part'], 40)} ({one['words']:.0%} of the words)" for one in found["parts"]]
    by_row(axes, names)
    axes.set_xlabel(f"change of test {scene.shown_metric} without it, 95 % interval{scene.lower()}")
    axes.set_title(f"What the parts are worth to {human.short(found['strategy'], 40)}")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return to_svg(figure)
