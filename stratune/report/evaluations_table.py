"""The scores of one evaluation in the terminal, beside those on the comparison's own test rows."""

from __future__ import annotations

from typing import Any

from stratune.report import human
from stratune.report.evaluations import named
from stratune.report.pairs import CLEAR, is_clear
from stratune.report.screen import Screen, Table, box, text

Found = dict[str, Any]


def say(one: Found, screen: Screen) -> None:
    """The table of one evaluation in the terminal, and what became of its rows."""
    worse = "" if one["higher_is_better"] else " (lower is better)"
    screen.say(f"{one['metric']}{worse} on {one['rows']:,} rows of {human.plain(one['data'])}")
    table = Table("strategy", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("own test rows", "these rows", "change"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, line in named(one):
        clear = "*" if is_clear(line["change"]) else " "
        cells = human.interval(line["own"]), human.interval(line["here"])
        change = human.difference(line["change"], ends=screen.width >= 100)
        table.add_row(text(human.short(name, 32)), *cells, change + clear)
    screen.print(table)
    if any(is_clear(line["change"]) for line in one["strategies"]):
        screen.say(f"* clear: p below {CLEAR:g}, adjusted for all of them (Holm)")
    for note in one["notes"]:
        screen.say(f"note: {human.plain(note)}")
