"""Whether strategies are more confident where the annotators agree."""

from __future__ import annotations

from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import FAINT, panel, to_svg

MOST = 6  # strategies


@figure(
    "confidence", title="Confidence where annotators agree, and where they do not", order=20, section="slices"
)
def confidence_agreement(scene: Scene) -> str | None:
    """Mean probability of the answer, with its 95 % interval, of the rows with each share of the majority."""
    found = scene.board.get("slices")
    lines = {
        (line["strategy"], line["backbone"]): line["confidence"]["points"]
        for line in (found or {}).get("strategies", ())
        if line["confidence"]
    }
    shown = [
        i for i, row in enumerate(scene.rows) if len(lines.get((row["strategy"], row["backbone"]), ())) > 1
    ]
    if not shown:
        return None
    drawing, axes = panel(6.4, 3.4)
    axes.grid(color=FAINT)
    for i in shown[:MOST]:
        row, one = scene.rows[i], scene.looks[i]
        points = lines[row["strategy"], row["backbone"]]
        x, y = [point["share"] for point in points], [point["value"] for point in points]
        reach = [[point["value"] - point["low"] for point in points]] * 2
        axes.errorbar(
            x,
            y,
            yerr=reach,
            color=one.color,
            linestyle=one.dash,
            marker=one.marker,
            capsize=3,
            label=scene.names[i],
        )
    axes.set_xlabel("share of the annotators who gave the row's most frequent label")
    axes.set_ylabel("mean probability of the answer")
    axes.set_title("Confidence and the annotators' agreement")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)
    return to_svg(drawing)
