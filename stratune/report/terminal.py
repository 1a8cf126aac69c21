"""The leaderboard in the terminal: warnings, the winner in bold green, failures with reasons below it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stratune.report import caveats, human, people
from stratune.report.screen import Table, Text, box, cell_len, stacked, text
from stratune.report.tables import caption, costs, name, shown_metrics, unranked

Board = dict[str, Any]
Row = dict[str, Any]
Column = tuple[str, Callable[[Row], str]]  # heading, and the text of a row's cell

_WORDS = ("strategy", "backbone", "status")
_GAP = 2  # characters between two columns: padding and the box
# Columns that a narrow terminal leaves out, the first of them first. The page and the CSV have all of them.
_OTHERS = "test metrics that do not rank"
_SPARED = (
    "on\ndisk",
    "memory",
    "prompts\ntried",
    "train\nrows/s",
    "predict\nrows/s",
    _OTHERS,
    "train\ntime",
    "trainable",
    "status",
)


def table(board: Board, *, width: int = 120) -> Table:
    """A rich table that fits `width` characters; where they are few, costs are left out one by one."""
    shown = {row["backbone"] for row in board["rows"] if row["backbone"]}
    columns = _fitting(_columns(board, several=len(shown) > 1), board, width)
    colors = {"error": "bold red", "warning": "yellow"}
    made = Table(
        title=stacked(text(line, style=colors[level]) for level, line in caveats.lines(board)),
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        caption=_below(board, shown),
        caption_justify="left",
        caption_style="",
        padding=(0, 1, 0, 0),
    )
    for head, _ in columns:
        names = head in ("strategy", "backbone")  # only these may wrap
        made.add_column(
            stacked(map(text, head.split("\n"))),
            justify="left" if head in _WORDS else "right",
            no_wrap=not names,
            overflow="fold",
        )
    for row in board["rows"]:
        style = "bold green" if row["rank"] == 1 else "dim" if row["status"] == "failed" else ""
        made.add_row(*(text(cell(row)) for _, cell in columns), style=style)
    return made


def _fitting(columns: list[Column], board: Board, width: int) -> list[Column]:
    def needed(column: Column) -> int:
        head, cell = column
        lines = [*head.split("\n"), *map(cell, board["rows"])]
        return _GAP + max(map(cell_len, lines))

    for spared in _SPARED:
        if sum(map(needed, columns)) + 2 <= width:
            break
        gone = (
            [_head(board, "test", name) for name in shown_metrics(board)[1:]]
            if spared == _OTHERS
            else [spared]
        )
        columns = [column for column in columns if column[0] not in gone]
    return columns


def _columns(board: Board, *, several: bool) -> list[Column]:
    metric, also = board["metric"], shown_metrics(board)[1:]
    called = human.backbones(row["backbone"] for row in board["rows"])
    return [
        ("#", lambda row: str(row["rank"] or human.NOTHING)),
        ("strategy", lambda row: human.short(row["strategy"])),
        *([("backbone", lambda row: called[row["backbone"]])] if several else []),
        (_head(board, "val", metric), lambda row: human.score(row["val"].get(metric))),
        (_head(board, "test", metric), lambda row: human.interval(row["test"].get(metric))),
        *((_head(board, "test", name), _test_value(name)) for name in also),
        *((head.replace(" ", "\n"), _cost(key, show)) for key, head, show in costs(board)),
        ("status", lambda row: "partly" if row["error"] and row["status"] == "ok" else row["status"]),
    ]


def _head(board: Board, part: str, metric: str) -> str:
    return f"{part}{caveats.star(board, part)}\n{human.short(metric)}"


def _test_value(metric: str) -> Callable[[Row], str]:
    return lambda row: human.score(row["test"].get(metric, {}).get("value"))


def _cost(key: str, show: Callable[[Any], str]) -> Callable[[Row], str]:
    return lambda row: show(row.get(key))


def _below(board: Board, backbones: set[str]) -> Text:
    """The caption, and one line for each failure."""
    one = f"; backbone {human.plain(*backbones)}" if len(backbones) == 1 else ""
    below = [text(caption(board) + one)]
    if with_people := people.line(board):
        below.append(text(with_people))
    below += [text(human.short(line, 200), style="yellow") for line in unranked(board)]
    for row in board["rows"]:
        if row["error"]:
            who = name(row) if len(backbones) > 1 else row["strategy"]
            below.append(text(f"{human.plain(who)}: {human.short(row['error'], 200)}", style="red"))
    return stacked(below)
