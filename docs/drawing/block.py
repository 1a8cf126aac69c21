"""One block of the encoder: its cells from left to right, and what a technique adds to them."""

from __future__ import annotations

from drawing import svg
from drawing.cells import ADDED, Parts
from drawing.sketch import ARROW, NETWORK, ORDER, PAD, SIDE, Sketch, Slots, kind, own, row

NAMES = {"attention": "norm", "output": "norm"}  # what stands in the cell, where it is not the role


def drawn_block(sketch: Sketch, block: int, y: float) -> list[str]:
    at = y + PAD + sketch.lane
    parts = row(sketch, f"block {block + 1}", y, sketch.block_height)
    for words, first, last in (("attention", "q", "attention"), ("feed-forward", "up", "output")):
        middle = (sketch.slots[first][0] + sum(sketch.slots[last])) / 2
        parts.append(svg.text(middle, at + svg.CELL + 11, words, "loose small"))
    for slot, (x, width) in sketch.slots.items():
        role, _, adapter = slot.partition(" ")
        found = sketch.parts(role, block)
        parts.append(
            _adapter(x, at, width, found) if adapter else own(x, at, width, NAMES.get(role, role), found)
        )
    return parts + _steps(sketch.slots, at) + _beside(sketch, block, at) + _prefix(sketch, block, at)


def _adapter(x: float, at: float, width: float, found: Parts) -> str:
    """The place of a bottleneck; a block that has none lets the numbers through."""
    if "adapter" in found:
        return svg.hourglass(x, at, width, "adapter", kind(found["adapter"]))
    return svg.line((x, at + svg.CELL / 2), (x + width, at + svg.CELL / 2))


def _steps(slots: Slots, at: float) -> list[str]:
    """The arrows from cell to cell; q, k and v stand side by side."""
    names, middle = list(slots)[2:], at + svg.CELL / 2
    return [
        svg.arrow(sum(slots[name]) + 2, middle, slots[after][0] - 2, middle)
        for name, after in zip(names, names[1:], strict=False)
    ]


def _beside(sketch: Sketch, block: int, at: float) -> list[str]:
    """What is added to linears, in the lane above them."""
    drawn = []
    for role in ORDER:
        x, width = sketch.slots[role]
        found = {p: kind(v) for p, v in sketch.parts(role, block).items() if p in ADDED.values()}
        found.pop("adapter", None)  # it stands in the row itself
        if role == "down" and "× scale" in found:  # (IA)3 scales what goes into it
            drawn += _chips(x - (width + ARROW) / 2, width, at, found, foot=svg.CELL / 2)
        elif found:
            drawn += _chips(x, width, at, found)
    return drawn


def _prefix(sketch: Sketch, block: int, at: float) -> list[str]:
    """Keys and values that join the text's own: learned as such, or made by a network."""
    found = sketch.parts("prefix", block)
    looks = {part: kind(trains) for part, trains in found.items()}
    if "table" in found:
        looks = {"keys": "made", "values": "made"}
    drawn = []
    for role, part in (("k", "keys"), ("v", "values")):
        if part in looks:
            drawn += _chips(*sketch.slots[role], at, {part: looks[part]})
    return drawn


def _chips(x: float, width: float, at: float, looks: dict[str, str], foot: float = 0) -> list[str]:
    """Small cells that share the width of one of the block's, and the line down from them."""
    top, each = at - svg.CHIP - 9, (width - 3 * (len(looks) - 1)) / len(looks)
    drawn = [svg.line((x + width / 2, top + svg.CHIP), (x + width / 2, at + foot), kind="added")]
    for i, (words, look) in enumerate(looks.items()):
        drawn.append(svg.cell(x + i * (each + 3), top, each, words, look, svg.CHIP))
    return drawn


def network(sketch: Sketch, tops: dict[int, float]) -> list[str]:
    """The one network that makes the keys and values of all blocks; `tops` says where each block begins."""
    having = {block: y for block, y in tops.items() if "table" in sketch.parts("prefix", block)}
    if not having:
        return []
    y, bottom = min(having.values()), max(having.values()) + sketch.block_height
    parts = svg.box(SIDE, y, NETWORK, bottom - y, kind(any(sketch.parts("prefix", min(having)).values())))
    x, middle = SIDE + NETWORK / 2, (y + bottom) / 2
    drawn = [parts, svg.text(x, middle, "table → MLP", "on-trainable", upright=True)]
    for top in having.values():
        lane = top + PAD + svg.CHIP / 2
        (key, width), (value, _) = sketch.slots["k"], sketch.slots["v"]
        drawn += [
            svg.line((SIDE + NETWORK, lane), (key, lane), kind="added"),
            svg.line((key + width, lane), (value, lane), kind="added"),
        ]
    return drawn
