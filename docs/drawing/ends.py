"""What stands below and above the blocks: text, embeddings and prompt; pooling and head."""

from __future__ import annotations

from drawing import svg
from drawing.cells import Parts
from drawing.sketch import ARROW, PAD, Sketch, kind, own, row

REST = {"positions": 66.0, "segments": 70.0, "norm": 46.0}  # the embeddings' other cells: width
TOKENS = {
    5: "[CLS] a fine film [SEP]",
    4: "[CLS] fine film [SEP]",
    3: "[CLS] … [SEP]",
    2: "[CLS] …",
}  # by how many fit
CHIPS, CHIP_WIDTH = ("v1", "v2", "v3"), 24.0
BOTTOM = 20 + svg.CHIP + 12  # from the embeddings' frame to the end of the picture


def answer(sketch: Sketch, y: float) -> list[str]:
    at, level = y + PAD, y + PAD + svg.CELL / 2
    return [
        *row(sketch, "answer", y),
        svg.cell(sketch.middle - 130, at, 120, f"{sketch.pool} pooling", "plain"),
        svg.arrow(sketch.middle - 8, level, sketch.middle + 8, level),
        own(sketch.middle + 10, at, 120, "head", sketch.parts("head")),
    ]


def embeddings(sketch: Sketch, y: float) -> list[str]:
    """From left to right: the prompt, if any; the words, with the text below them; what is added to both."""
    at, level = y + PAD, y + PAD + svg.CELL / 2
    prompt, x = _prompt(sketch.parts("prompt"), sketch.left + PAD, at)
    width = sketch.right - PAD - sum(REST.values()) - ARROW * len(REST) - x
    parts = [*row(sketch, "embeddings", y), *prompt, *_text(x, width, at)]
    parts.append(own(x, at, width, "words", sketch.parts("words")))
    x += width
    for name, width in REST.items():
        parts.append(svg.arrow(x + 2, level, x + ARROW - 2, level))
        parts.append(own(x + ARROW, at, width, name, sketch.parts(name)))
        x += ARROW + width
    return parts


def _text(x: float, width: float, at: float) -> list[str]:
    """The tokens of a text, which nothing is learned of, below the table that they are looked up in."""
    tokens = TOKENS[max(count for count in TOKENS if count * 46 <= width)].split()
    each, y = (width - 5 * (len(tokens) - 1)) / len(tokens), at + svg.CELL + PAD + 20
    parts = [svg.arrow(x + width / 2, y - 2, x + width / 2, at + svg.CELL + 2)]
    for i, token in enumerate(tokens):
        parts.append(svg.cell(x + i * (each + 5), y, each, token, "plain", svg.CHIP))
    return parts


def _prompt(found: Parts, x: float, at: float) -> tuple[list[str], float]:
    """Vectors in front of the words' (made by a network, where there is one), and where the words begin."""
    if not found:
        return [], x
    middle = at + svg.CELL / 2
    parts = [svg.text(x + 40, at + svg.CELL + PAD + 20 + svg.CHIP / 2, "no text here", "loose small")]
    for i, name in enumerate(CHIPS):
        place = x + i * (CHIP_WIDTH + 4), middle - svg.CHIP / 2, CHIP_WIDTH
        parts.append(svg.cell(*place, name, kind(found["vectors"]), svg.CHIP))
    x += len(CHIPS) * (CHIP_WIDTH + 4) - 4
    networks = [part for part in found if part != "vectors"]
    if networks:
        width = 14.0 + 33 * len(networks)
        look = kind(all(found[part] for part in networks))
        parts.append(svg.arrow(x + 2, middle, x + ARROW - 2, middle))
        parts.append(svg.cell(x + ARROW, at, width, " + ".join(networks), look))
        x += ARROW + width
    return parts, x + 8
