"""The leaderboard in the terminal: warnings above it; the winner in bold green, what ties with it marked; the
verdict's sentence below it, and failures with their reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from stratune.report import caveats, distribution, human, people, standing
from stratune.report.screen import Table, box, cell_len, stacked, text
from stratune.report.tables import caption, costs, name, shown_metrics, unranked

Board = dict[str, Any]
Row = dict[str, Any]


class Column(NamedTuple):
    head: str
    cell: Callable[[Row], str]
    narrower: Column | None = None  # takes its place where there is no room for it


_WORDS = ("", "strategy", "backbone", "status")
_GAP = 2  # characters between two columns: padding and the box
_OTHERS = "test metrics that do not rank"
_DIFFERENCE, _SHORT_DIFFERENCE = "test\nto winner", "to\nwinner"
_FIRST = "val\nfirst"
# Columns that a narrow terminal leaves out or shortens, the first of them first. The CSV has all.
_SPARED = (
    "train\nrows/s",
    "on\ndisk",
    "tried",
    "prompts\ntried",
    "predict\nrows/s",
    "memory",
    "trainable",
    _OTHERS,
    _DIFFERENCE,
    _FIRST,
    _SHORT_DIFFERENCE,
    "train\ntime",
    "status",
)


def table(board: Board, *, width: int = 120) -> Table:
    """A rich table that fits `width` characters; where they are few, columns are left out one by one."""
    fitting = _fitting(columns(board), board, width)
    colors = {"error": "bold red", "warning": "yellow"}
    made = Table(
        title=stacked(text(line, style=colors[level]) for level, line in caveats.lines(board)),
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        caption=stacked(text(line, style=style) for line, style in below(board)),
        caption_justify="left",
        caption_style="",
        padding=(0, 1, 0, 0),
    )
    for column in fitting:
        names = column.head in ("strategy", "backbone")  # only these may wrap
        made.add_column(
            stacked(map(text, column.head.split("\n"))),
            justify="left" if column.head in _WORDS else "right",
            no_wrap=not names,
            overflow="fold",
        )
    winner = standing.winner(board)
    for row in board["rows"]:
        style = "bold green" if row is winner else "dim" if row["status"] == "failed" else ""
        made.add_row(*(text(column.cell(row)) for column in fitting), style=style)
    return made


def _fitting(columns: list[Column], board: Board, width: int) -> list[Column]:
    def needed(column: Column) -> int:
        lines = [*column.head.split("\n"), *map(column.cell, board["rows"])]
        return _GAP + max(map(cell_len, lines))

    others = [_head(board, "test", name) for name in shown_metrics(board)[1:]]
    for spared in _SPARED:
        if sum(map(needed, columns)) + 2 <= width:
            break
        gone = others if spared == _OTHERS else [spared]
        kept = [column if column.head not in gone else column.narrower for column in columns]
        columns = [column for column in kept if column is not None]
    return columns


def columns(board: Board) -> list[Column]:
    """Those that have something to say on this board."""
    rows, metric, also = board["rows"], board["metric"], shown_metrics(board)[1:]
    called = human.backbones(row["backbone"] for row in rows)
    has_tried = any(row.get("tried") for row in rows)
    found = [
        Column("#", lambda row: str(row["rank"] or human.NOTHING)),
        Column("", lambda row: standing.MARKS[standing.standing(row)]),
        Column("strategy", lambda row: human.short(row["strategy"])),
        Column("backbone", lambda row: called[row["backbone"]]),
        Column(_head(board, "val", metric), lambda row: human.score(row["val"].get(metric))),
        Column(_FIRST, lambda row: human.share(row.get("first"))),
        Column(_head(board, "test", metric), lambda row: human.interval(row["test"].get(metric))),
        _difference(board),
        *(Column(_head(board, "test", name), _test_value(name)) for name in also),
        *(Column(head.replace(" ", "\n"), _cost(key, show)) for key, head, show in costs(board)),
        Column("tried", standing.tried),
        Column("status", lambda row: "partly" if row["error"] and row["status"] == "ok" else row["status"]),
    ]
    silent = {
        "": not any(map(standing.standing, rows)),
        "backbone": len(_backbones(board)) < 2,
        _FIRST: all(row.get("first") is None for row in rows),
        _DIFFERENCE: not standing.to_winner(board),
        "prompts\ntried": has_tried,
        "tried": not has_tried,
        "status": all(row["status"] == "ok" and not row["error"] for row in rows),
    }
    return [column for column in found if not silent.get(column.head, False)]


def _difference(board: Board) -> Column:
    found = standing.to_winner(board)
    short = Column(_SHORT_DIFFERENCE, lambda row: human.difference(found.get(row["rank"]), ends=False))
    return Column(_DIFFERENCE, lambda row: human.difference(found.get(row["rank"])), short)


def _head(board: Board, part: str, metric: str) -> str:
    return f"{part}{caveats.star(board, part)}\n{human.short(metric)}"


def _test_value(metric: str) -> Callable[[Row], str]:
    return lambda row: human.score(row["test"].get(metric, {}).get("value"))


def _cost(key: str, show: Callable[[Any], str]) -> Callable[[Row], str]:
    return lambda row: show(row.get(key))


def below(board: Board) -> list[tuple[str, str]]:
    """(line, style) under the table: the verdict, what the columns are, who has no rank, who failed."""
    backbones = _backbones(board)
    one = f"; backbone {human.plain(*backbones)}" if len(backbones) == 1 else ""
    sentence = (board.get("verdict") or {}).get("sentence")
    lines = [(sentence, "bold"), ("", "")] if sentence else []
    about = [caption(board) + one, standing.legend(board), people.line(board)]
    about += distribution.sentences(board)
    lines += [(line, "") for line in about if line]
    lines += [(human.short(line, 200), "yellow") for line in unranked(board)]
    for row in board["rows"]:
        if row["error"]:
            who = name(row) if len(backbones) > 1 else row["strategy"]
            lines.append((f"{human.plain(who)}: {human.short(row['error'], 200)}", "red"))
    return lines


def _backbones(board: Board) -> set[str]:
    return {row["backbone"] for row in board["rows"] if row["backbone"]}
