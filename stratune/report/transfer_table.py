"""The tables of transfer.json in the terminal."""

from __future__ import annotations

from typing import Any

from stratune.report import human
from stratune.report.pairs import CLEAR
from stratune.report.screen import Screen, Table, box, text
from stratune.report.transfer import tables

WIDTH = 14  # of the name of a source
Found = dict[str, Any]


def say(found: Found, screen: Screen) -> None:
    """A table a strategy, what the marks mean, the sentence, and notes."""
    worse = "" if found["higher_is_better"] else " (lower is better)"
    screen.say(f"{found['metric']}{worse} by {found['column']}: trained on the line, tested on the column")
    clear = False
    for one in tables(found):
        table = Table(human.short(one["name"], 32), box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("rows", justify="right")
        for source in found["sources"]:
            table.add_column(human.short(source["name"], WIDTH), justify="right", no_wrap=True)
        for line in one["lines"]:
            cells = [_shown(cell) for cell in line["cells"]]
            clear = clear or any(cell["clear"] for cell in line["cells"])
            table.add_row(text(human.short(line["name"], 32)), human.count(line["rows"]), *cells)
        screen.print(table)
        for error in one["errors"]:
            screen.say(error, "red")
    if clear:
        screen.say(
            f"* clearly other than trained on what is tested: p below {CLEAR:g}, adjusted for all (Holm)"
        )
    screen.say(found["sentence"], "bold")
    for note in found["notes"]:
        screen.say(f"note: {human.plain(note)}")


def _shown(cell: Found) -> str:
    value = human.NOTHING if cell["estimate"] is None else human.score(cell["estimate"]["value"])
    return value + ("*" if cell["clear"] else " ")
