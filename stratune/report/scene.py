"""What all figures of a comparison draw from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stratune.report import human, tables
from stratune.report.comparison import Comparison, Entry
from stratune.report.style import Look, look

Board = dict[str, Any]


class Scene:
    """The comparison and its leaderboard. `entries`, their leaderboard `rows`, their short `names` and their
    `looks` are parallel lists: one item for each strategy on a backbone that has results, best first.
    """

    def __init__(self, comparison: Comparison, board: Board) -> None:
        self.comparison, self.board = comparison, board
        known = {(entry.strategy, entry.backbone): entry for entry in comparison.entries() if entry.ok}
        self.rows: list[dict[str, Any]] = [row for row in board["rows"] if _key(row) in known]
        self.entries = [known[_key(row)] for row in self.rows]
        self.names = _names(self.entries)
        self.looks: list[Look] = [look(index) for index in range(len(self.entries))]
        self.metric: str = board["metric"]
        self.shown_metric = human.short(self.metric, 40)
        self.direction = tables.direction(board)  # " (lower is better)", or nothing
        self.target = comparison.task.target  # tells a figure what kind of truth there is
        self.labels = [human.short(label) for label in comparison.task.labels]

    def row_of(self, entry: Entry) -> dict[str, Any]:
        return self.rows[self.entries.index(entry)]

    def name_of(self, entry: Entry) -> str:
        return self.names[self.entries.index(entry)]


def _key(row: dict[str, Any]) -> tuple[str, str | None]:
    return row["strategy"], row["backbone"]


def _names(entries: Sequence[Entry]) -> list[str]:
    """What the figures call each entry: the backbone only where there are several."""
    backbones = human.backbones(entry.backbone for entry in entries if entry.backbone)
    tail = {None: "", **{one: f" {name}" for one, name in backbones.items()}} if len(backbones) > 1 else {}
    names = [human.short(entry.strategy) + tail.get(entry.backbone, "") for entry in entries]
    # matplotlib leaves names that begin with "_" out of a legend
    return [f"\u200a{name}" if name.startswith("_") else name for name in names]
