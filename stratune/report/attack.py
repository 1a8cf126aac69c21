"""attack.json, as `stratune attack` wrote it: what a leaderboard, the page and the terminal show of it.

A model that was trained anew since then is not the one that was attacked: it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stratune.report import human
from stratune.report.comparison import Comparison, Entry
from stratune.report.pairs import is_clear

Found = Mapping[str, Any]

FILE = "attack.json"
_BLANK = re.compile(r"\s")
NUMBERS = (
    "seed", "right", "unchangeable", "before", "after", "success", "chance", "gain", "queries", "changed",
    "chance_queries", "chance_changed",
)  # fmt: skip


def of_entry(entry: Entry, comparison: Comparison) -> dict[str, Any]:
    """`attack` of a row: its numbers, without texts; {} where the row was not attacked."""
    found = attacked(entry, comparison)
    if found is None:
        return {}
    about = {key: comparison.attack[key] for key in ("by", "rows", "queries", "changes")}
    return {"attack": {"settings": about, **{key: found[key] for key in NUMBERS}}}


def attacked(entry: Entry, comparison: Comparison) -> dict[str, Any] | None:
    """What attack.json says of the row's model, if that is still the one there."""
    file = comparison.attack
    if file is None or file["fingerprint"] != comparison.fingerprint:
        return None
    for one in file["strategies"]:
        if (one["strategy"], one["backbone"]) == (entry.strategy, entry.backbone):
            runs = [run.result for run in entry.ok if run.result.seed == one["seed"]]
            return one if runs and runs[0].digest == one["files"] else None
    return None


def section(comparison: Comparison, board: dict[str, Any], *, texts: bool) -> dict[str, Any] | None:
    """What the page shows: a line a strategy, in the order of the board. None where none was attacked.

    `texts`: whether changed texts may be shown.
    """
    file = comparison.attack
    entries = {(entry.strategy, entry.backbone): entry for entry in comparison.entries()}
    lines = []
    for row in board["rows"]:
        found = attacked(entries[row["strategy"], row["backbone"]], comparison)
        if found is not None:
            lines.append(_line(found))
    if not lines:
        return None
    names = {line["name"] for line in lines}
    return {
        "by": file["by"],
        "rows": file["rows"],
        "queries": file["queries"],
        "changes": file["changes"],
        "lines": lines,
        "differences": [
            {**one, "marked": is_clear(one["change"])}
            for one in file["differences"]
            if {one["a"], one["b"]} <= names
        ],
        "texts": texts,
    }


def _line(found: Found) -> dict[str, Any]:
    examples = [{**one, "pieces": pieces(one)} for one in found["examples"]]
    name = human.entry(found["strategy"], found["backbone"])
    return {**found, "name": name, "marked": is_clear(found["gain"]), "examples": examples}


def pieces(example: Found) -> list[list[tuple[str, str | None]]]:
    """Of each text of a row its pieces in order: (text, None) where it stays, (word, what it became).

    They are printable, and keep the blanks at their ends.
    """
    found = []
    for part, text in enumerate(example.get("texts", ())):
        own: list[tuple[str, str | None]] = []
        at = 0
        for _, start, old, new in (word for word in example["words"] if word[0] == part):
            own += [(text[at:start], None), (old, new)]
            at = start + len(old)
        own.append((text[at:], None))
        found.append([(_printable(old), new and _printable(new)) for old, new in own if old])
    return found


def _printable(text: str) -> str:
    return human.plain(f"-{_BLANK.sub(' ', text)}-")[1:-1]


def marked(example: Found, reach: int = 30) -> str:
    """On one line: `a [brilliant -> brillaint] film`, with `reach` characters about each changed word."""
    return " | ".join(_short(text, reach) for text in pieces(example))


def _short(text: Sequence[tuple[str, str | None]], reach: int) -> str:
    shown = []
    for number, (piece, new) in enumerate(text):
        if new is not None:
            shown.append(f"[{piece} -> {new}]")
            continue
        left = "" if number == 0 else piece[:reach].rpartition(" ")[0]
        right = "" if number == len(text) - 1 else piece[-reach:].partition(" ")[2]
        cut = len(piece) > 2 * reach and len(text) > 1
        shown.append(f"{left} ... {right}" if cut else piece)
    return human.plain("".join(shown))
