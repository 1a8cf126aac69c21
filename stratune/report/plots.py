"""All figures of a comparison, drawn and written to OUT/plots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from stratune.files import write_text
from stratune.ownership import owned_by_us
from stratune.report import human, many_labels
from stratune.report.comparison import Comparison, Entry
from stratune.report.figure import Section
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


OF_BOARD: tuple[Section, ...] = ("overview", "people", "sizes", "slices")


def _wanted(scene: Scene) -> Iterator[tuple[str, Callable[[], str | None]]]:
    for figure in (one for section in OF_BOARD for one in figures_of(section)):
        yield figure.name, partial(figure.draw, scene)
    for entry in scene.entries:
        for figure in figures_of("entry"):
            yield stem_of(figure.name, entry), partial(figure.draw, scene, entry)


def tables(comparison: Comparison, board: Board) -> dict[str, str]:
    """File stem -> CSV of what the figures cannot show; see many_labels.py."""
    scene = Scene(comparison, board)
    return many_labels.tables(comparison, zip(scene.entries, scene.rows, strict=True))


def save(out: Path, drawn: dict[str, str], tables: Mapping[str, str] = MappingProxyType({})) -> list[Path]:
    """Write OUT/plots/*.svg, and *.csv. What is of a strategy not compared any more goes, the user's stay."""
    owned, texts = owned_by_us(out), written(drawn, tables)
    owned.disown(name for name in owned.files - set(texts) if name.startswith("plots/"))
    owned.own(*texts)
    for name, text in texts.items():
        write_text(out / name, text)
    return [out / name for name in texts if name.endswith(".svg")]


def written(drawn: Mapping[str, str], tables: Mapping[str, str]) -> dict[str, str]:
    """File in OUT -> its text."""
    pictures = {f"plots/{stem}.svg": svg for stem, svg in drawn.items()}
    return pictures | {f"plots/{stem}.csv": table for stem, table in tables.items()}


def stem_of(name: str, entry: Entry) -> str:
    """confusion-lora@minilm"""
    return f"{name}-{human.file_name(entry.strategy, entry.backbone)}"
