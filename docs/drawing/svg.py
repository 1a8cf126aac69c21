"""The few shapes that the pictures consist of, as SVG text.

The ground is left transparent. Cells bring their own ground, and the grey of lines and loose text is as far
from white as from the near-black of a dark page, so both can be read.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

WIDTH = 640
CELL = 34  # height of a cell
CHIP = 20  # height of what is added beside one
STRIP = 13  # height of the trainable part of a cell that is partly frozen
TRAINABLE, FROZEN, INK, NEUTRAL = "#c24e00", "#bcc2cb", "#2b313a", "#797979"

_STYLE = f"""\
text{{font-family:Verdana,'DejaVu Sans',sans-serif;font-size:11px;text-anchor:middle}}
.trainable{{fill:{TRAINABLE}}}
.frozen{{fill:{FROZEN}}}
.plain,.made{{fill:none;stroke:{NEUTRAL}}}
.made{{stroke:{TRAINABLE};stroke-width:1.5;stroke-dasharray:4 2.5}}
.on-trainable{{fill:#fff}}
.on-frozen{{fill:{INK}}}
.on-plain,.on-made,.loose{{fill:{NEUTRAL}}}
.frame{{fill:none;stroke:{NEUTRAL};stroke-opacity:.45}}
.line{{fill:none;stroke:{NEUTRAL};stroke-width:1.2}}
.added{{fill:none;stroke:{TRAINABLE};stroke-width:1.5}}
.left{{text-anchor:start}}
.right{{text-anchor:end}}
.title{{font-size:13px;font-weight:bold}}
.small{{font-size:9.5px}}"""


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def text(x: float, y: float, words: str, kind: str = "loose", *, upright: bool = False) -> str:
    """`y` is the middle of the line; an upright one is read from below."""
    turn = f' transform="rotate(-90 {number(x)} {number(y)})"' if upright else ""
    return f'<text class="{kind}" x="{number(x)}" y="{number(y + 4)}"{turn}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str, radius: float = 4) -> str:
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect class="{kind}" {place} rx="{number(radius)}"/>'


def cell(x: float, y: float, width: float, words: str, kind: str, height: float = CELL) -> str:
    """A box with words: `kind` is trainable, frozen, plain (no parameters) or made (by a trainable)."""
    size = " small" if height < CELL else ""
    return box(x, y, width, height, kind) + text(x + width / 2, y + height / 2, words, f"on-{kind}{size}")


def partly(x: float, y: float, width: float, words: str, part: str) -> str:
    """A frozen cell of which one part is trainable."""
    top = CELL - STRIP
    way = f"M{number(x)} {number(y + top)}h{number(width)}v{STRIP - 4}a4 4 0 0 1-4 4h{number(8 - width)}"
    return (
        box(x, y, width, CELL, "frozen")
        + text(x + width / 2, y + top / 2, words, "on-frozen")
        + f'<path class="trainable" d="{way}a4 4 0 0 1-4-4z"/>'
        + text(x + width / 2, y + top + STRIP / 2, part, "on-trainable small")
    )


def hourglass(x: float, y: float, width: float, words: str, kind: str) -> str:
    """A bottleneck: wide, narrow, wide along the way of the numbers."""
    waist, side = 9, width / 6
    corners = [
        *((0, 0), (side, waist), (width - side, waist), (width, 0)),
        *((width, CELL), (width - side, CELL - waist), (side, CELL - waist), (0, CELL)),
    ]
    points = " ".join(f"{number(x + dx)},{number(y + dy)}" for dx, dy in corners)
    shape = f'<polygon class="{kind}" points="{points}"/>'
    return shape + text(x + width / 2, y + CELL / 2, words, f"on-{kind} small")


def line(*points: tuple[float, float], kind: str = "line") -> str:
    way = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path class="{kind}" d="M{way}"/>'


def arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    """Level or upright; the head ends at the second point."""
    if to_y == y:
        side = 3.5 if to_x > x else -3.5
        head = line((to_x - side, to_y - 3.5), (to_x, to_y), (to_x - side, to_y + 3.5))
    else:
        side = 3.5 if to_y > y else -3.5
        head = line((to_x - 3.5, to_y - side), (to_x, to_y), (to_x + 3.5, to_y - side))
    return line((x, y), (to_x, to_y)) + head


def legend(title: str, entries: dict[str, str]) -> list[str]:
    """The picture's first line: its title, and at the right what the colours say (words -> kind)."""
    parts = [text(16, 20, title, "loose title left")]
    x = WIDTH - 16.0
    for words, kind in reversed(entries.items()):
        x -= 6.3 * len(words)
        parts += [text(x, 20, words, "loose left"), box(x - 17, 14, 12, 12, kind, 2)]
        x -= 33
    return parts


def document(title: str, height: float, parts: list[str]) -> str:
    size = f'width="{WIDTH}" height="{number(height)}" viewBox="0 0 {WIDTH} {number(height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    lines = [head, f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>", *parts, "</svg>"]
    return "\n".join(lines) + "\n"
