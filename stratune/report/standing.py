"""Where a row stands: the winner, tied with the best, or behind; and what the winner differs from it by.

leaderboard.json says it in `verdict`, `pairs`, and `winner`, `tied`, `first` and `tried` of its rows. Boards
up to 0.8 have none of them: there nothing is marked, and the first row is the one to use.
"""

from __future__ import annotations

from typing import Any

from stratune.report import human
from stratune.report.pairs import Pair, against

Board = dict[str, Any]
Row = dict[str, Any]

MARKS = {"winner": "▸", "tied": "≈", "": ""}


def winner(board: Board) -> Row | None:
    """The row to use; None where no row finished."""
    chosen = (row for row in board["rows"] if row.get("winner"))
    first = (
        None if "verdict" in board else next((row for row in board["rows"] if row["status"] == "ok"), None)
    )
    return next(chosen, first)


def standing(row: Row) -> str:
    """ "winner", "tied" or nothing."""
    return "winner" if row.get("winner") else "tied" if row.get("tied") else ""


def legend(board: Board) -> str:
    """What the marks mean; nothing where there are none."""
    if not any(map(standing, board["rows"])):
        return ""
    prefer = (board.get("verdict") or {}).get("prefer", "seconds")
    several = sum(bool(row.get("tied")) for row in board["rows"]) > 1
    among = "of those within one standard error of the best on validation"
    chosen = "first on validation" if prefer == "best" or not several else f"the cheapest in {prefer} {among}"
    tied = f"; {MARKS['tied']} cannot be told from the best there" if several else ""
    first = "; val first: how often, with validation rows drawn again" if _has(board, "first") else ""
    return f"{MARKS['winner']} the winner, {chosen}{tied}{first}"


def to_winner(board: Board) -> dict[int, Pair]:
    """Rank -> how the row's test value of the metric that ranks differs from the winner's."""
    best = winner(board)
    if best is None or not best["rank"]:
        return {}
    return against((board.get("pairs") or {}).get("test", ()), board["metric"], best["rank"])


def tried(row: Row) -> str:
    """What the row was allowed to try: "1 fit, 8 prompts"."""
    counts = (row.get("tried") or {}).items()
    return ", ".join(f"{human.count(n)} {name.removesuffix('s') if n == 1 else name}" for name, n in counts)


def _has(board: Board, key: str) -> bool:
    return any(row.get(key) is not None for row in board["rows"])
