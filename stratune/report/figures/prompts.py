"""The prompts that were tried: how much the score depends on the prompt."""

from __future__ import annotations

import numpy as np

from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import INK, by_row, panel, to_svg


@figure("prompts", title="Validation metric of each prompt tried", order=60)
def prompts(scene: Scene) -> str | None:
    """Validation metric of each trial, all seeds together; a diamond is the prompt that was kept."""
    tried = [
        (i, several)
        for i, entry in enumerate(scene.entries)
        # lines of a budget's trials are settings of any strategy
        if (several := [run.trials for run in entry.ok if run.trials and "trials" not in run.result.tried])
    ]
    if not tried:
        return None
    drawing, axes = panel(6.4, 1.2 + 0.42 * len(tried))
    jitter = np.random.default_rng(0)  # points side by side, at the same height in every drawing
    for line, (i, runs) in enumerate(tried):
        color = scene.looks[i].color
        found = [[trial["val"].get(scene.metric, np.nan) for trial in trials] for trials in runs]
        values, kept = [value for trials in found for value in trials], [trials[0] for trials in found]
        heights = line + jitter.uniform(-0.16, 0.16, len(values))
        axes.plot(values, heights, "o", color=color, alpha=0.45, ms=5)
        axes.plot(kept, [line] * len(kept), "D", color=color, markersize=8, markeredgecolor=INK)
    by_row(axes, [f"{scene.names[i]} ({sum(map(len, runs))})" for i, runs in tried])
    axes.set_xlabel(f"validation {scene.shown_metric} of each prompt; a diamond was kept")
    axes.set_title("How much the prompt matters")
    return to_svg(drawing)
