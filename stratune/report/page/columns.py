"""The columns of the leaderboard on the page: all that can be compared, of which some are shown at first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from stratune.evaluate.metrics import METRICS
from stratune.report import caveats, human, tables
from stratune.report.page.standings import higher_is_better

Board = dict[str, Any]
Row = dict[str, Any]
Best = Literal["ascending", "descending"]

_MORE_IS_BETTER = {"train_rows_per_second", "predict_rows_per_second"}  # of the costs


@dataclass(frozen=True)
class Head:
    """`read` gives a cell's number or interval; the first three columns and the last are the template's."""

    text: str
    best: Best  # the direction that puts the best first
    read: Callable[[Row], Any] = lambda row: None
    show: Callable[[Any], str] = str
    words: bool = False
    hidden: bool = False  # at first: the reader chooses columns
    doc: str = ""


def heads(board: Board) -> list[Head]:
    val, test = (f"{part}{caveats.star(board, part)}" for part in ("val", "test"))
    shown = tables.shown_metrics(board)
    more = [
        name for name in METRICS if any(name in row["test"] for row in board["rows"]) and name not in shown
    ]
    asked = [
        Head(head, _best(key in _MORE_IS_BETTER), _field(key), show)
        for key, head, show in tables.costs(board)
    ]
    return [
        Head("rank", "ascending"),
        Head("strategy", "ascending", words=True),
        Head("backbone", "ascending", words=True),
        _validation(board, f"{val} {human.plain(board['metric'])}"),
        *(
            _metric(board, name, f"{test} {human.plain(name)}", hidden=name in more)
            for name in (*shown, *more)
        ),
        *_optional(board),
        *asked,
        Head("seeds", "descending"),
    ]


def cells(row: Row, heads: list[Head]) -> list[dict[str, Any]]:
    """Of the columns between the backbone and the seeds: {value, interval or None, text}."""
    return [_cell(head.read(row), head.show) for head in heads[3:-1]]


def _cell(found: Any, show: Callable[[Any], str]) -> dict[str, Any]:
    if isinstance(found, dict) and "low" in found:
        return {"value": found["value"], "interval": found, "text": ""}
    return {
        "value": found if isinstance(found, (int, float)) else None,
        "interval": None,
        "text": show(found),
    }


def _validation(board: Board, text: str) -> Head:
    """With its interval, where the board has one; boards before 0.9 have the value alone."""
    name = board["metric"]

    def read(row: Row) -> Any:
        return (row.get("val_intervals") or {}).get(name, row["val"].get(name))

    return Head(text, _best(higher_is_better(board, name)), read, human.score)


def _metric(board: Board, name: str, text: str, *, hidden: bool) -> Head:
    doc = METRICS[name].doc if name in METRICS else ""
    best = _best(higher_is_better(board, name))
    return Head(text, best, lambda row: row["test"].get(name), human.interval, hidden=hidden, doc=doc)


def _optional(board: Board) -> list[Head]:
    """Columns of boards since 0.9."""
    found = []
    if any(row.get("first") is not None for row in board["rows"]):
        doc = "share of resamples of validation in which the row is first"
        found.append(Head("first", "descending", _field("first"), human.share, doc=doc))
    if any(row.get("tried") for row in board["rows"]):
        doc = "what the row was allowed to try"
        found.append(Head("tried", "ascending", _field("tried"), _tried, words=True, hidden=True, doc=doc))
    return found


def _tried(found: dict[str, Any] | None) -> str:
    """8 prompts, 1 fit"""
    return ", ".join(f"{count} {human.plain(what)}" for what, count in (found or {}).items()) or human.NOTHING


def _field(key: str) -> Callable[[Row], Any]:
    return lambda row: row.get(key)


def _best(more_is_better: bool) -> Best:
    return "descending" if more_is_better else "ascending"
