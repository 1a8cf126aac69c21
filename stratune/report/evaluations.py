"""evaluations.json, as `stratune evaluate` wrote it: the models' scores on other rows and on their own.

A model that was trained anew since then is not the one that was scored: its line is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from stratune.report import human
from stratune.report.comparison import Comparison
from stratune.report.pairs import is_clear
from stratune.report.slices import files_of

FILE = "evaluations.json"
FOLDER = "evaluations"  # in it a comparison for each
Found = dict[str, Any]


def of_board(comparison: Comparison) -> dict[str, Any]:
    """`evaluations` of leaderboard.json; nothing where there is none of these models."""
    file = comparison.evaluated
    if file is None or file["fingerprint"] != comparison.fingerprint:
        return {}
    now = {(entry.strategy, entry.backbone): files_of(entry) for entry in comparison.entries()}
    found = []
    for one in file["evaluations"]:
        lines = [line for line in one["strategies"] if now.get(_key(line)) == line["files"]]
        if lines:
            found.append({**one, "strategies": lines})
    return {"evaluations": found} if found else {}


def section(board: Found) -> list[Found] | None:
    """What the page shows: a table each. Links lead to the page of each evaluation."""
    found = board.get("evaluations")
    if not found:
        return None
    return [
        {
            **one,
            "link": f"{FOLDER}/{quote(one['name'])}/report.html",
            "lines": [{**line, "name": name, "clear": is_clear(line["change"])} for name, line in named(one)],
        }
        for one in found
    ]


def named(one: Found) -> Sequence[tuple[str, Found]]:
    """Each line with what it is called: with its backbone only where there are several."""
    lines = one["strategies"]
    several = len({line["backbone"] for line in lines if line["backbone"]}) > 1
    return [(human.entry(line["strategy"], line["backbone"] if several else None), line) for line in lines]


def _key(line: Found) -> tuple[str, str | None]:
    return line["strategy"], line["backbone"]
