"""How many rows each label has, in each part of the split."""

from __future__ import annotations

import numpy as np

from stratune.report import many_labels
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import PALETTE, panel, to_svg


@figure("balance", title="Rows of each label in each part", order=80)
def balance(scene: Scene) -> str | None:
    """As shares, so that parts of different size compare. A row with several labels counts for each."""
    parts, labels, several = scene.comparison.balances, scene.target.labels, scene.target.several_labels
    if not parts or not labels:
        return None
    positions, crowded = many_labels.rarest(scene.comparison), len(labels) > 10
    few, all_labels = len(positions) < len(labels), len(labels)
    labels = tuple(labels[position] for position in positions)
    drawing, axes = panel(6.4, 1.2 + (0.3 if crowded else max(0.62, 0.2 * len(parts))) * len(labels))
    height = 0.8 / len(parts)
    for number, (part, counts) in enumerate(parts.items()):
        total = max(scene.comparison.sizes[part] if several else sum(counts.values()), 1)
        shares = [100 * counts.get(label, 0) / total for label in labels]
        rows = np.arange(len(labels)) + (number - (len(parts) - 1) / 2) * height
        name = f"{part} ({total:,})"
        bars = axes.barh(rows, shares, height * 0.9, color=PALETTE[number], label=name)
        shown = [f"{counts.get(label, 0):,}" for label in labels]
        axes.bar_label(bars, shown, padding=3, fontsize=5 if crowded else 8)
    axes.set_yticks(
        range(len(labels)),
        [scene.labels[position] for position in positions],
        fontsize=7 if crowded else None,
    )
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    having = "share of the part that has the label" if several else "share of the part"
    axes.set_xlabel(f"{having}, % (rows beside the bars)")
    rarest = f": the {len(labels)} with fewest rows, of {all_labels:,}" if few else ""
    axes.set_title(("Label balance" if several else "Class balance") + rarest)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return to_svg(drawing)
