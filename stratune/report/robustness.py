"""robustness.json, as `stratune stress` wrote it: what a leaderboard and the page show of it.

A model that was trained anew since then is not the one that was tested: it is left out.
"""

from __future__ import annotations

from typing import Any

from stratune.report import human
from stratune.report.comparison import Comparison, Entry
from stratune.report.pairs import is_clear

FILE = "robustness.json"
FULL = 0.1  # a change of this size, in the units of the metric, has the strongest colour


def of_entry(entry: Entry, comparison: Comparison) -> dict[str, Any]:
    """`robustness` of a row: the share of rows that keep their answer, and of each perturbation the change of
    the metric and the rows that flip. Without texts; {} where the row was not tested.
    """
    found = tested(entry, comparison)
    if found is None:
        return {}
    kept = ("after", "change", "flips", "shift", "led")
    effects = {one["perturbation"]: {key: one[key] for key in kept} for one in found["effects"]}
    cases = [{key: one[key] for key in ("test", "cases", "passed")} for one in found.get("cases", ())]
    about = {key: found[key] for key in ("seed", "before", "consistent")}
    return {"robustness": {**about, "perturbations": effects, **({"cases": cases} if cases else {})}}


def tested(entry: Entry, comparison: Comparison) -> dict[str, Any] | None:
    """What robustness.json says of the row's model, if that is still the one there."""
    file = comparison.robustness
    if file is None or file["fingerprint"] != comparison.fingerprint:
        return None
    for one in file["strategies"]:
        if (one["strategy"], one["backbone"]) == (entry.strategy, entry.backbone):
            runs = [run.result for run in entry.ok if run.result.seed == one["seed"]]
            return one if runs and runs[0].digest == one["files"] else None
    return None


def section(comparison: Comparison, board: dict[str, Any], *, texts: bool) -> dict[str, Any] | None:
    """What the page shows: a line a strategy, in the order of the board. None where nothing was tested.

    `texts`: whether rows and cases may be shown with their texts.
    """
    file = comparison.robustness
    entries = {(entry.strategy, entry.backbone): entry for entry in comparison.entries()}
    lines = []
    for row in board["rows"]:
        found = tested(entries[row["strategy"], row["backbone"]], comparison)
        if found is not None:
            lines.append(_line(found, file))
    if not lines:
        return None
    names = list(dict.fromkeys(cell["name"] for line in lines for cell in line["cells"]))
    heads = [one for one in file["perturbations"] if one["name"] in names]
    for line in lines:
        by_name = {cell["name"]: cell for cell in line["cells"]}
        line["cells"] = [by_name.get(head["name"]) for head in heads]
    return {
        "heads": heads,
        "lines": lines,
        "rows": file["rows"],
        "metric": file["metric"],
        "higher_is_better": file["higher_is_better"],
        "texts": texts,
        "notes": file.get("notes", []),
    }


def _line(found: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": human.entry(found["strategy"], found["backbone"]),
        "before": found["before"],
        "consistent": found["consistent"],
        "cells": [_cell(one, file) for one in found["effects"]],
        "cases": found.get("cases", []),
    }


def _cell(effect: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    """`heat`: by how much the score is worse, in percent of the strongest colour. `marked`: not by chance."""
    change, after = effect["change"], effect["after"]
    sign = -1 if file["higher_is_better"] else 1
    worse = 0.0 if change is None else sign * change["difference"]
    # Of an error in the user's units a tenth of the error itself is much.
    scale = FULL if file["higher_is_better"] else FULL * abs(after["value"]) if after else FULL
    return {
        **effect,
        "name": effect["perturbation"],
        "heat": round(100 * min(max(worse / scale, 0.0), 1.0)) if scale else 0,
        "marked": is_clear(change),
    }
