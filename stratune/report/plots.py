"""All figures of a comparison, drawn and written to OUT/plots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from stratune.files import replacing_folder
from stratune.report import human
from stratune.report.comparison import Comparison, Entry
from stratune.report.figures import figures_of
from stratune.report.scene import Board, Scene
from stratune.report.style import styled


def draw(comparison: Comparison, board: Board) -> dict[str, str]:
    """File stem -> SVG. A figure that has nothing to show is left out."""
    drawn = {}
    for stem, draw_one in _wanted(Scene(comparison, board)):
        with styled(stem):
            svg = draw_one()
        if svg is not None:
            drawn[stem] = svg
    return drawn


def _wanted(scene: Scene) -> Iterator[tuple[str, Callable[[], str | None]]]:
    for figure in (*figures_of("overview"), *figures_of("people")):
        yield figure.name, partial(figure.draw, scene)
    for entry in scene.entries:
        for figure in figures_of("entry"):
            yield stem_of(figure.name, entry), partial(figure.draw, scene, entry)


def save(out: Path, drawn: dict[str, str]) -> list[Path]:
    """Write OUT/plots whole: the plot of a strategy that is no longer compared goes."""
    with replacing_folder(out / "plots") as folder:
        for stem, svg in drawn.items():
            (folder / f"{stem}.svg").write_text(svg, encoding="utf-8")
    return [out / "plots" / f"{stem}.svg" for stem in drawn]


def stem_of(name: str, entry: Entry) -> str:
    """confusion-lora@minilm"""
    return f"{name}-{human.file_name(entry.strategy, entry.backbone)}"
