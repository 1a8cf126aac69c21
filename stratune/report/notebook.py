"""The leaderboard in a notebook: the terminal's, as one HTML table without scripts; text in it is escaped."""

from __future__ import annotations

from html import escape
from typing import Any

from stratune.report import caveats, human, standing
from stratune.report.terminal import below, columns

_LEVELS = {"error": "font-weight:bold;color:#c0392b", "warning": "color:#b7791f"}
_STYLES = {"bold": "font-weight:bold", "yellow": "color:#b7791f", "red": "color:#c0392b", "": ""}
_WINNER, _FAILED = "font-weight:bold;color:#1e8449", "opacity:.6"


def html(board: dict[str, Any]) -> str:
    """Warnings, the verdict and its command, the table, and what its columns are."""
    above = [_line(line, _LEVELS[level]) for level, line in caveats.lines(board, at_most=caveats.MANY)]
    verdict = board.get("verdict") or {}
    said = [_line(line, _STYLES[style]) for line, style in below(board) if line]
    first = said[:1] if verdict.get("sentence") else []  # the sentence stands above the table here
    command = f"<div><code>{_text(verdict['command'])}</code></div>" if verdict.get("command") else ""
    return "\n".join([*above, *first, command, _table(board), *said[len(first) :]])


def _table(board: dict[str, Any]) -> str:
    shown, winner = columns(board), standing.winner(board)
    heads = "".join(f"<th>{_text(column.head)}</th>" for column in shown)
    lines = []
    for row in board["rows"]:
        style = _WINNER if row is winner else _FAILED if row["status"] == "failed" else ""
        cells = "".join(f"<td>{_text(column.cell(row))}</td>" for column in shown)
        lines.append(f'<tr style="{style}">{cells}</tr>')
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _line(line: str, style: str) -> str:
    return f'<div style="{style}">{_text(line)}</div>'


def _text(words: object) -> str:
    return escape(human.plain(words))
