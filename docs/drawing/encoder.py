"""A small encoder, bottom to top, with what a technique trains in colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drawing import svg
from drawing.block import drawn_block, network
from drawing.ends import BOTTOM, answer, embeddings
from drawing.sketch import GAP, ROW, Sketch

if TYPE_CHECKING:
    from stratune.net.net import Net

TOP = 40.0  # below the title


def encoder(title: str, net: Net) -> str:
    """The picture of a net that a technique has been put on."""
    sketch = Sketch.of(net)
    first = TOP + ROW + GAP
    step = sketch.block_height + GAP
    tops = {block: first + step * (sketch.blocks - 1 - block) for block in range(sketch.blocks)}
    bottom = first + step * sketch.blocks
    parts = [*svg.legend(title, {"trainable": "trainable", "frozen": "frozen"}), *answer(sketch, TOP)]
    for block, y in tops.items():
        parts += drawn_block(sketch, block, y)
    parts += network(sketch, tops) + embeddings(sketch, bottom)
    for y in (*tops.values(), bottom):  # from each row to the one above it
        parts.append(svg.arrow(sketch.middle, y - 2, sketch.middle, y - GAP + 2))
    return svg.document(f"{title}: what is trainable", bottom + ROW + BOTTOM, parts)
