"""The table of a learning curve in the terminal: a line a strategy, a column a number of training rows."""

from __future__ import annotations

from typing import Any

from stratune.report import human, sizes
from stratune.report.screen import Screen, Table, box, text

Found = dict[str, Any]

WIDTH = 21  # of a column with intervals


def say(found: Found, screen: Screen) -> None:
    """The table, what its marks mean, the sentence, and notes."""
    worse = "" if found["higher_is_better"] else " (lower is better)"
    screen.say(f"{found['metric']}{worse} on {found['test']:,} test rows, by training rows")
    ends = screen.width >= 24 + WIDTH * len(sizes.heads(found))
    screen.print(table(found, ends=ends))
    screen.say(
        f"{sizes.LEGEND}{'; last column: where the curve goes from here' if sizes.has_curves(found) else ''}"
    )
    screen.say(found["sentence"], "bold")
    for one in sizes.failures(found):
        screen.say(one, "red")
    for note in found["notes"]:
        screen.say(f"note: {note}")


def table(found: Found, *, ends: bool) -> Table:
    """`ends`: with intervals."""
    called = sizes.names(found)
    made = Table("strategy", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in sizes.heads(found):
        made.add_column(head, justify="right", no_wrap=True)
    for one in found["strategies"]:
        made.add_row(
            text(human.short(called[sizes.key_of(one)], 32)),
            *(text(cell(point, ends=ends)) for point in one["points"]),
            *([text(prediction(one, ends=ends))] if sizes.has_curves(found) else []),
        )
    return made


def cell(point: Found, *, ends: bool) -> str:
    """0.712 [.661, .760] ≈"""
    if point["test"] is None:
        return f"{'failed' if point['error'] else human.NOTHING}  "
    value = human.interval(point["test"]) if ends else human.score(point["test"]["value"])
    return (
        f"{value} {sizes.MARKS['first'] if point['first'] else sizes.MARKS['tied'] if point['tied'] else ' '}"
    )


def prediction(one: Found, *, ends: bool) -> str:
    """Of the largest number of rows that its curve was asked about."""
    if one["curve"] is None:
        return human.NOTHING
    last = one["curve"]["points"][-1]
    return human.interval(last) if ends else human.score(last["value"])
