"""schema.json, as `stratune schema` wrote it: which labels are confused, and what a merge would change.

A strategy that was trained anew since then is not the one whose answers were counted: it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stratune.report import human
from stratune.report.comparison import Comparison
from stratune.report.pairs import is_clear
from stratune.report.slices import files_of

Row = dict[str, Any]

FILE = "schema.json"
MEASURE = "mcc"  # of a merge: accuracy rises whichever labels are merged


def advised(pair: Mapping[str, Any]) -> bool:
    """Whether Matthews' correlation rises clearly, its whole interval above what chance would bring."""
    merge = pair["merge"].get(MEASURE)
    if merge is None or not is_clear(merge["change"]):
        return False
    return bool(merge["change"]["low"] > max(0.0, merge["chance"] or 0.0))


def section(comparison: Comparison) -> Row | None:
    """What page and terminal show; None where nothing was looked at, or all of it is of other models."""
    file = comparison.schema
    if file is None or file["fingerprint"] != comparison.fingerprint:
        return None
    there = {(entry.strategy, entry.backbone): files_of(entry) for entry in comparison.entries()}
    lines = [
        one for one in file["strategies"] if there.get((one["strategy"], one["backbone"])) == one["files"]
    ]
    return shown({**file, "strategies": lines}) if lines else None


def shown(file: Mapping[str, Any]) -> Row:
    """`sources`: who confuses labels, each with the pairs as they are told."""
    sources: list[Row] = [
        {"name": human.entry(one["strategy"], one["backbone"]), "of": "", "pairs": _told(one["confused"])}
        for one in file["strategies"]
    ]
    people = file["annotators"]
    if people is not None:
        sources.append({"name": "annotators", "of": people["of"], "pairs": _told(people["confused"])})
    return {
        **{key: file[key] for key in ("rows", "labels", "pairs", "metric")},
        "sources": sources,
        "metrics": list(
            dict.fromkeys(name for one in sources for pair in one["pairs"] for name in pair["merge"])
        ),
        "any": any(one["pairs"] for one in sources),
    }


def _told(confused: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        {
            **pair,
            "name": " and ".join(human.short(label) for label in pair["labels"]),
            "there": _way(pair["there"]),
            "back": _way(pair["back"]),
        }
        for pair in confused
    ]


def _way(way: Mapping[str, float]) -> Row:
    """`share` of the rows that are wrong, and what it would be by chance."""
    wrong = max(way["wrong"], 1e-300)
    told = f"{human.share(way['taken'] / wrong)} of {way['wrong']:,.4g} wrong"
    return {**way, "told": told, "chance": human.share(way["expected"] / wrong)}
