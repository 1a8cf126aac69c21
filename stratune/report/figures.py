"""The figures of a comparison, as SVG text: what won, what it cost, how it learned, where it errs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from stratune.evaluate.kinds import Kind
from stratune.files import replacing_folder
from stratune.report import human
from stratune.report.ablation_figure import parts
from stratune.report.comparison import Comparison, Entry, load
from stratune.report.confusion import confusion
from stratune.report.label_f1 import label_f1
from stratune.report.people_bars import people_bars
from stratune.report.prompts import prompts
from stratune.report.regression import predicted, residuals
from stratune.report.roc import roc
from stratune.report.scene import Board, Scene
from stratune.report.style import styled


def write(out: str | Path) -> list[Path]:
    """Write OUT/plots anew from OUT's runs and leaderboard. Raises as `load` does."""
    from stratune.report import leaderboard

    comparison = load(out)
    return save(comparison.out, draw(comparison, leaderboard.build(comparison)))


def save(out: Path, figures: dict[str, str]) -> list[Path]:
    with replacing_folder(out / "plots") as folder:  # whole: a plot of a strategy no longer compared must go
        for name, svg in figures.items():
            (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    return [out / "plots" / f"{name}.svg" for name in figures]


def draw(comparison: Comparison, board: Board) -> dict[str, str]:
    """File stem -> SVG, in the order a reader wants them. A figure without data is not there."""
    entries = {(entry.strategy, entry.backbone): entry for entry in comparison.entries() if entry.ok}
    ranked = [entries[key] for row in board["rows"] if (key := (row["strategy"], row["backbone"])) in entries]
    names = _names(ranked)
    scene = Scene(comparison, board, ranked, names)
    figures: dict[str, Callable[[], str | None]] = {
        "leaderboard": scene.leaderboard,
        "cost": scene.cost,
        "learning": scene.learning,
        "roc": partial(roc, scene),
        "labels": partial(label_f1, scene),
        "prompts": partial(prompts, scene),
        "people": partial(people_bars, scene),
        "parts": partial(parts, scene),
        "balance": scene.balance,
    }
    for entry, name in zip(ranked, names, strict=True):
        for figure, painter in BY_ENTRY[comparison.task.kind].items():
            figures[stem_of(figure, entry)] = partial(painter, scene, entry, name)
    drawn = {}
    for stem, draw_it in figures.items():
        with styled(stem):
            svg = draw_it()
        if svg is not None:
            drawn[stem] = svg
    return drawn


def stem_of(figure: str, entry: Entry) -> str:
    """confusion-lora@minilm"""
    return f"{figure}-{human.file_name(entry.strategy, entry.backbone)}"


# where an entry errs, one figure a file
BY_ENTRY: dict[Kind, dict[str, Callable[[Scene, Entry, str], str | None]]] = {
    "classification": {"confusion": confusion},
    "ordinal": {"confusion": confusion},
    "multilabel": {},  # which labels are found is one figure for all entries
    "regression": {"predicted": predicted, "residuals": residuals},
}


def _names(entries: Sequence[Entry]) -> list[str]:
    """What the figures call each entry: the backbone only where there are several."""
    backbones = human.backbones(entry.backbone for entry in entries if entry.backbone)
    if len(backbones) < 2:
        return [human.short(entry.strategy) for entry in entries]
    tail = {None: "", **{one: f" {name}" for one, name in backbones.items()}}
    return [human.short(entry.strategy) + tail[entry.backbone] for entry in entries]
