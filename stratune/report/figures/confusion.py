"""Confusion matrix: which label is taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stratune.report import many_labels
from stratune.report.comparison import Entry
from stratune.report.figure import figure
from stratune.report.scene import Scene
from stratune.report.style import PAPER, panel, shades, to_svg


@figure("confusion", title="Confusion matrix", order=10, section="entry")
def confusion(scene: Scene, entry: Entry) -> str | None:
    """Counts on test summed over seeds, shaded by the share of the row. Label sets have `labels` instead.

    Of many labels those with the lowest F1, and their confusions with all others as one column.
    """
    if not scene.target.one_label:
        return None
    positions = many_labels.shown(scene.row_of(entry), scene.comparison)
    counts, more = confusion_of(entry, positions)
    labels = [scene.labels[position] for position in positions]
    columns = labels + more
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 0.78 if len(columns) <= 6 else min(0.56, 11 / len(columns))  # inches of a cell
    small = 7 if len(columns) > 20 else None
    drawing, axes = panel(2.6 + side * len(columns), 1.7 + side * 0.8 * len(labels))
    edges = [np.arange(length + 1) - 0.5 for length in reversed(shares.shape)]  # whole numbers are centres
    axes.pcolormesh(*edges, shares, cmap=shades(), vmin=0, vmax=1, edgecolors=PAPER, linewidth=0.8)
    axes.invert_yaxis()
    if len(columns) <= 12:
        for (down, across), share in np.ndenumerate(shares):
            ink = "#ffffff" if share > 0.55 else "#111111"
            text = f"{counts[down, across]:,}\n{share:.0%}"
            axes.text(across, down, text, ha="center", va="center", color=ink, fontsize=8.5)
    slant = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if max(map(len, columns)) > 8 else {}
    axes.set_xticks(range(len(columns)), columns, fontsize=small, **slant)  # type: ignore[arg-type]
    axes.set_yticks(range(len(labels)), labels, fontsize=small)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("prediction")
    axes.set_ylabel("truth")
    worst = f": the {len(labels)} labels with the lowest F1, of {len(scene.labels):,}"
    axes.set_title(scene.name_of(entry) + worst * (len(labels) < len(scene.labels)))
    return to_svg(drawing)


def confusion_of(entry: Entry, positions: Sequence[int]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Counts (P, P + more) of P labels, summed over seeds, and what the columns after these P hold.

    "other" counts predictions of labels that are not among them, "invalid" answers that are no label.
    """
    truth, predictions, counts = many_labels.confused(entry)
    label_count = entry.ok[0].predictions["test"].predictions.shape[1]
    place = np.full(label_count + 1, len(positions))  # other
    place[list(positions)] = np.arange(len(positions))
    place[label_count] = len(positions) + 1
    found = np.zeros((len(positions), len(positions) + 2), dtype=np.int64)
    kept = place[truth] < len(positions)
    np.add.at(found, (place[truth[kept]], place[predictions[kept]]), counts[kept])
    more = {"other": len(positions) < label_count, "invalid": bool(found[:, -1].any())}
    columns = [*range(len(positions)), *(len(positions) + k for k, one in enumerate(more.values()) if one)]
    return found[:, columns], [name for name, one in more.items() if one]
