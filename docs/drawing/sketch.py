"""What is drawn of a net, and the measures that follow from it for every row of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from drawing import svg
from drawing.cells import ADDED, OWN, Cell, Parts, contents

if TYPE_CHECKING:
    from stratune.net.net import Net

ORDER = ("q", "k", "v", "o", "attention", "up", "down", "output")
SIDE = 84  # where the frames begin; left of it stands what a row is
NETWORK = 34  # width of the network that makes all prefixes
PAD, GAP, ARROW = 11, 20, 14
ROW = svg.CELL + 2 * PAD  # height of a row of cells alone

Slots = dict[str, tuple[float, float]]  # what stands there -> x, width


@dataclass(frozen=True)
class Sketch:
    cells: dict[Cell, Parts]
    blocks: int
    pool: str

    @classmethod
    def of(cls, net: Net) -> Sketch:
        return cls(contents(net), len(net.backbone.blocks), net.head.pool)

    def parts(self, role: str, block: int | None = None) -> Parts:
        return self.cells.get(Cell(role, block), {})

    def has(self, *names: str) -> bool:
        """Whether one of these parts is anywhere in the blocks."""
        inside = [parts for cell, parts in self.cells.items() if cell.block is not None]
        return any(part in names for parts in inside for part in parts)

    @property
    def lane(self) -> int:
        """Room above the cells of a block, where something is added beside them."""
        return svg.CHIP + 9 if self.has(*set(ADDED.values()) - {"adapter"}) else 0

    @property
    def block_height(self) -> float:
        return PAD + self.lane + svg.CELL + 22

    @property
    def left(self) -> float:
        return SIDE + (NETWORK + 20 if self.has("table") else 0)

    @property
    def right(self) -> float:
        return svg.WIDTH - 16.0

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @cached_property
    def slots(self) -> Slots:
        """Of each cell of a block, and of each adapter behind one (`o adapter`)."""
        names = [
            slot
            for role in ORDER
            for slot in (role, f"{role} adapter")
            if slot == role or any("adapter" in self.parts(role, i) for i in range(self.blocks))
        ]
        gaps = [9.0 if name in ("q", "k") else ARROW for name in names[:-1]] + [0.0]
        shares = [1.3 if "adapter" in name else 1.0 for name in names]
        unit = (self.right - self.left - 2 * PAD - sum(gaps)) / sum(shares)
        x, found = self.left + PAD, {}
        for name, share, gap in zip(names, shares, gaps, strict=True):
            found[name] = x, share * unit
            x += share * unit + gap
        return found


def row(sketch: Sketch, words: str, y: float, height: float = ROW) -> list[str]:
    """A row's frame, and what it is."""
    frame = svg.box(sketch.left, y, sketch.right - sketch.left, height, "frame", 8)
    return [frame, svg.text(SIDE - 12, y + height / 2, words, "loose right")]


def kind(trains: bool) -> str:
    return "trainable" if trains else "frozen"


def own(x: float, y: float, width: float, words: str, parts: Parts) -> str:
    """A cell of the pretrained model, or the head: all, some or none of its tensors are trainable."""
    mine = {part: trains for part, trains in parts.items() if part in OWN.values()}
    trainable = [part for part, trains in mine.items() if trains]
    if trainable and len(trainable) < len(mine):
        return svg.partly(x, y, width, words, ", ".join(trainable))
    return svg.cell(x, y, width, words, kind(bool(trainable)))
