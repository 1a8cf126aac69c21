"""The figure of the prompts that were tried: how far apart they lie says what one of them is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stratune.report.style import INK, by_row, panel, to_svg

if TYPE_CHECKING:
    from stratune.report.scene import Scene


def prompts(scene: Scene) -> str | None:
    """Validation metric of each trial of each entry, all seeds; the ones that were kept stand out."""
    tried = [
        (i, [run.trials for run in entry.ok if run.trials])
        for i, entry in enumerate(scene.entries)
        if any(run.trials for run in entry.ok)
    ]
    if not tried:
        return None
    figure, axes = panel(6.4, 1.2 + 0.42 * len(tried))
    random = np.random.default_rng(0)  # points side by side, the same in every drawing
    for place, (i, runs) in enumerate(tried):
        color = scene.looks[i].color
        found = [[trial["val"].get(scene.metric, np.nan) for trial in trials] for trials in runs]
        values, kept = [value for trials in found for value in trials], [trials[0] for trials in found]
        axes.plot(
            values, place + random.uniform(-0.16, 0.16, len(values)), "o", color=color, alpha=0.45, ms=5
        )
        axes.plot(kept, [place] * len(kept), "D", color=color, markersize=8, markeredgecolor=INK)
    by_row(axes, [f"{scene.names[i]} ({sum(map(len, runs))})" for i, runs in tried])
    axes.set_xlabel(f"validation {scene.shown_metric} of each prompt; a diamond was kept")
    axes.set_title("How much the prompt matters")
    return to_svg(figure)
