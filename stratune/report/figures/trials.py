"""Expected best of so many trials: whether more of them would find more (Dodge et al., 2019)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from stratune.evaluate.arrays import Floats
from stratune.evaluate.expected_best import expected_best
from stratune.report.comparison import Entry, Run
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import panel, to_svg

FEWEST = 4  # trials: a curve of three points says nothing


@figure("trials", title="Expected best validation metric by number of trials", order=65)
def trials(scene: Scene) -> str | None:
    """The mean over seeds; only of random searches, whose trials are independent of each other."""
    drawing, axes = panel(6.4, 3.8)
    drawn = 0
    for entry, name, style in zip(scene.entries, scene.names, scene.looks, strict=True):
        curve = by_trials(entry, scene)
        if curve is not None:
            drawn += 1
            line: dict[str, Any] = {"marker": style.marker, "markersize": 4.5, "linestyle": style.dash}
            axes.plot(np.arange(1, len(curve) + 1), curve, label=name, color=style.color, **line)
    if not drawn:
        return None
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("trials")
    axes.set_ylabel(f"expected best validation {scene.shown_metric}{scene.direction}")
    axes.set_title("What more trials give")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return to_svg(drawing)


def by_trials(entry: Entry, scene: Scene) -> Floats | None:
    """(N,) the expected best of 1, ..., N trials, as many as all seeds have; None: no seed has `FEWEST`.

    Trials that failed, or whose metric is undefined, are left out: no number can stand for them.
    """
    selection = scene.comparison.task.selection
    found = []
    for run in entry.ok:
        known = [selection.value(line["val"]) for line in run.trials if _is_independent(run)]
        values = [value for value in known if value is not None]
        if len(values) >= FEWEST:
            found.append(expected_best(values, higher_is_better=selection.higher_is_better))
    shortest = min(map(len, found), default=0)
    return np.mean([curve[:shortest] for curve in found], axis=0) if found else None


def _is_independent(run: Run) -> bool:
    """Whether its trials are those of a random search, and whole. (Others are prompts, or were halved.)"""
    sampler = str(run.result.identity.get("budget", {}).get("sampler", ""))
    return sampler.startswith("random")
