"""How much better or worse the winner is on each slice of the test rows than on all other rows."""

from __future__ import annotations

from typing import Any

from stratune.report import human, standing
from stratune.report.figure import figure
from stratune.report.pairs import is_clear
from stratune.report.scene import Scene
from stratune.report.slice_tables import is_higher_better
from stratune.report.style import INK, PALETTE, by_row, panel, to_svg

MOST = 40  # lines of a picture
_CLEAR, _UNCLEAR = PALETTE[1], PALETTE[7]


@figure(
    "slices",
    title="The winner's score on slices, less that on all other rows",
    order=10,
    section="slices",
    tall=True,
)
def slice_differences(scene: Scene) -> str | None:
    """A point a slice with its 95 % interval; filled where the difference is clear."""
    found = scene.board.get("slices")
    winner = standing.winner(scene.board)
    if not found or winner is None:
        return None
    own = [
        line
        for line in found["strategies"]
        if (line["strategy"], line["backbone"]) == (winner["strategy"], winner["backbone"])
    ]
    lines = _lines(found, own[0]) if own else []
    if not lines:
        return None
    drawing, axes = panel(6.4, 1.5 + 0.27 * len(lines))
    for place, (_, change) in enumerate(lines):
        clear = is_clear(change)
        color = _CLEAR if clear else _UNCLEAR
        axes.hlines(place, change["low"], change["high"], color=color, linewidth=1.6)
        fill = color if clear else "none"
        axes.plot(change["difference"], place, "o", color=color, markerfacecolor=fill, markersize=6)
    side = "left" if found["higher_is_better"] else "right"
    axes.axvline(0, color=INK, linewidth=0.9)
    by_row(axes, [name for name, _ in lines])
    axes.set_xlabel(f"slice less all other rows ({side} of zero is worse)")
    axes.set_title(f"{human.short(human.entry(winner['strategy'], winner['backbone']), 40)} by slice")
    return to_svg(drawing)


def _lines(found: dict[str, Any], own: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    lines = []
    for by, cells in zip(found["dimensions"], own["dimensions"], strict=True):
        if is_higher_better(by["metric"], found) != found["higher_is_better"]:
            continue  # the other side would be the worse one
        metric = "" if by["metric"] == found["metric"] else f" ({by['metric']})"
        for piece, cell in zip(by["slices"], cells, strict=True):
            if cell["difference"] is not None:
                name = f"{human.short(by['name'], 30)}: {human.short(piece['name'], 22)}{metric}"
                lines.append((name, cell["difference"]))
    return lines[:MOST]
