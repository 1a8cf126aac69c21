"""All figures of a comparison, drawn and written to OUT/plots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from stratune.files import write_text
from stratune.ownership import owned_by_us
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
    """Write OUT/plots/*.svg. The plot of a strategy that is not compared any more goes, the user's stay."""
    owned = owned_by_us(out)
    names = {stem: f"plots/{stem}.svg" for stem in drawn}
    owned.disown(name for name in owned.files - set(names.values()) if name.startswith("plots/"))
    owned.own(*names.values())
    for stem, svg in drawn.items():
        write_text(out / names[stem], svg)
    return [out / name for name in names.values()]


def stem_of(name: str, entry: Entry) -> str:
    """confusion-lora@minilm"""
    return f"{name}-{human.file_name(entry.strategy, entry.backbone)}"
