"""Names beside points, placed so that none covers another name or a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

# offsets of a name from its point, in typographic points, best first; each ring is further out
_SPOTS = [(9, 0), (-9, 0), (0, 10), (0, -10), (8, 9), (8, -9), (-8, 9), (-8, -9)]
_RINGS = (1.0, 1.9, 3.0, 4.2)


def place_labels(axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str]) -> None:
    """Annotate `points` (data coordinates) greedily, each name in the first spot that is free and inside."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    figure.draw_without_rendering()
    frame = axes.get_window_extent(renderer)
    centres = axes.transData.transform(np.asarray(points, dtype=float))
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in centres]
    for (point, centre), name in sorted(
        zip(zip(points, centres, strict=True), names, strict=True), key=_upwards
    ):
        note = axes.annotate(name, point, xytext=_SPOTS[0], textcoords="offset points", fontsize=9)
        box = _settle(note, frame, taken, renderer)
        note.set_in_layout(False)
        far = np.hypot(*(np.clip(centre, box.min, box.max) - centre)) > 14
        if far:  # a line leads from the name to its point
            edge = axes.transData.inverted().transform(np.clip(centre, box.min, box.max))
            axes.plot([point[0], edge[0]], [point[1], edge[1]], color="#8a93a3", linewidth=0.7, zorder=1)
        taken.append(box)


def _upwards(item: tuple[tuple[tuple[float, float], object], str]) -> float:
    return item[0][0][1]


def _settle(note: Annotation, frame: Bbox, taken: Sequence[Bbox], renderer: Any) -> Bbox:
    """Move `note` to the first free spot; the one that overlaps least when none is."""
    best: tuple[float, tuple[float, float]] | None = None
    for ring in _RINGS:
        for x, y in _SPOTS:
            box = _move(note, (x * ring, y * ring), renderer)
            outside = not (
                frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            )
            cover = sum(_overlap(box, other) for other in taken) + (1e6 if outside else 0.0)
            if cover == 0:
                return box
            if best is None or cover < best[0]:
                best = cover, (x * ring, y * ring)
    assert best is not None
    return _move(note, best[1], renderer)


def _move(note: Annotation, offset: tuple[float, float], renderer: Any) -> Bbox:
    note.xyann = offset
    note.set_horizontalalignment("left" if offset[0] > 0 else "right" if offset[0] < 0 else "center")
    note.set_verticalalignment("bottom" if offset[1] > 0 else "top" if offset[1] < 0 else "center")
    note.update_positions(renderer)
    return note.get_window_extent(renderer).padded(1.5)


def _overlap(one: Bbox, other: Bbox) -> float:
    shared = Bbox.intersection(one, other)
    return 0.0 if shared is None else shared.width * shared.height
