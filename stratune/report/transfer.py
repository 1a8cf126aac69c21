"""transfer.json, as `stratune transfer` wrote it: what a leaderboard, page and terminal show of it."""

from __future__ import annotations

from typing import Any

from stratune.report import human
from stratune.report.comparison import Comparison
from stratune.report.pairs import is_clear
from stratune.report.sentence import amount, in_points, quoted
from stratune.report.slices import files_of

FILE = "transfer.json"
FOLDER = "transfer"  # in it a comparison for each source
EVERY = "all rows"  # what the comparison itself was trained on
Found = dict[str, Any]


def of_board(comparison: Comparison) -> Found:
    """`transfer` of leaderboard.json; nothing where there is none of these models."""
    file = comparison.transferred
    if file is None or file["fingerprint"] != comparison.fingerprint:
        return {}
    now = {(entry.strategy, entry.backbone): files_of(entry) for entry in comparison.entries()}
    lines = [one for one in file["strategies"] if now.get((one["strategy"], one["backbone"])) == one["files"]]
    return {"transfer": {**file, "strategies": lines}} if lines else {}


def tables(found: Found) -> list[Found]:
    """A table a strategy: a line a source that it was trained on, a cell a source that it was tested on."""
    several = len({one["backbone"] for one in found["strategies"] if one["backbone"]}) > 1
    made = []
    for one in found["strategies"]:
        lines = [
            {"name": source["name"], "rows": source["train"], "cells": [_cell(cell) for cell in cells]}
            for source, cells in zip(found["sources"], one["cells"], strict=True)
        ]
        every = [{"estimate": cell, "change": None, "clear": False} for cell in one["whole"]]
        lines.append({"name": EVERY, "rows": None, "cells": every})
        errors = [f"trained on {name}: {human.short(why, 200)}" for name, why in one["errors"].items()]
        name = human.entry(one["strategy"], one["backbone"] if several else None)
        made.append({"name": name, "lines": lines, "loss": one["loss"], "errors": errors})
    return made


def has_errors(found: Found) -> bool:
    return any(one["errors"] for one in found["strategies"])


def _cell(cell: Found) -> Found:
    return {**cell, "clear": is_clear(cell["change"])}


def sentence(found: Found) -> str:
    """Tested on a source that it was not trained on, `lora` loses 9.3 points (6.1 to 12.4), ..."""
    parts = []
    for one in found["strategies"]:
        loss = one["loss"]
        if loss is None or one["floor"]:
            continue
        sign = -1 if found["higher_is_better"] else 1
        low, value, high = sorted((sign * loss["low"], sign * loss["value"], sign * loss["high"]))
        if in_points(found["metric"]):
            said = f"{100 * value:.1f} points ({100 * low:.1f} to {100 * high:.1f})"
        else:
            said = f"{amount(found['metric'], value)} ({human.score(low)} to {human.score(high)})"
        parts.append(f"{quoted(human.entry(one['strategy'], one['backbone']))} {said}")
    if not parts:
        return "No strategy that reads the texts was trained on every source."
    return (
        f"On a source that it was not trained on, a strategy loses, on the mean of all: {'; '.join(parts)}."
    )
