"""`slices` and `fairness` of the board as people read them: lines of cells, marked where they are clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stratune.evaluate.metrics import METRICS
from stratune.report import human
from stratune.report.pairs import is_clear

Board = dict[str, Any]
WORDED = "(a word of the texts, which are left out)"
WORST = "{singles:,} conditions and {pairs:,} pairs of them were looked at"


def section(board: Board, *, figures: Sequence[Any] = (), texts: bool = True) -> dict[str, Any] | None:
    """None where the board has no slices. `texts`: whether words of texts may be named."""
    found = board.get("slices")
    if not found:
        return None
    names = [_name(line) for line in found["strategies"]]
    order = found["order"]
    dimensions = [
        {
            **{key: one[key] for key in ("name", "about", "metric")},
            "lines": [
                {
                    **piece,
                    "cells": [
                        cell(line["dimensions"][d][k], one["metric"], found) for line in found["strategies"]
                    ],
                    "order": None if order is None else ordered(order["dimensions"][d][k]),
                }
                for k, piece in enumerate(one["slices"])
            ],
        }
        for d, one in enumerate(found["dimensions"])
    ]
    return {
        "metric": found["metric"],
        "strategies": names,
        "dimensions": dimensions,
        "order": None if order is None else [_name(order[key]) for key in ("first", "second")],
        "figures": figures,
        "worst": [_worst(line, found, texts) for line in found["strategies"] if line["worst"]],
        "validation_rows": found["validation_rows"],
        "confidence": [
            {"name": _name(line), **line["confidence"]} for line in found["strategies"] if line["confidence"]
        ],
    }


def cell(found: Mapping[str, Any], metric: str, board: Mapping[str, Any]) -> dict[str, Any]:
    """`mark`: worse or better than all other rows, where that is clear; `told`: what a pointer shows."""
    change = found["difference"]
    return {
        "value": found["value"],
        "mark": mark(change, higher_is_better=is_higher_better(metric, board)),
        "told": told(found),
    }


def is_higher_better(metric: str, board: Mapping[str, Any]) -> bool:
    if metric == board["metric"]:
        return bool(board["higher_is_better"])
    return METRICS[metric].higher_is_better


def mark(change: Mapping[str, float] | None, *, higher_is_better: bool) -> str:
    if change is None or not is_clear(change):
        return ""
    return "better" if (change["difference"] > 0) == higher_is_better else "worse"


def told(found: Mapping[str, Any]) -> str:
    """0.543 [.489, .597]; to all other rows -0.154 [-.220, -.089], adjusted p 0.000014"""
    if found["estimate"] is None:
        return "" if found["value"] is None else "no interval: the slice, or the rest, is of one group"
    if found["difference"] is None:
        return human.interval(found["estimate"])
    change = found["difference"]
    away = f"{human.difference(change)}, adjusted p {p_value(change['p_adjusted'])}"
    return f"{human.interval(found['estimate'])}; to all other rows {away}"


def p_value(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def ordered(found: Mapping[str, Any]) -> dict[str, Any]:
    """`marked`: the two clearly differ there; `changes`: the other one leads than on all rows."""
    change = found["difference"]
    return {
        "change": change,
        "changes": found["changes"],
        "marked": is_clear(change),
        "told": ""
        if change is None
        else f"{human.difference(change)}, adjusted p {p_value(change['p_adjusted'])}",
    }


def _worst(line: Mapping[str, Any], board: Mapping[str, Any], texts: bool) -> dict[str, Any]:
    worst = line["worst"]
    found = [
        {
            **one,
            **cell(one, worst["metric"], board),
            "holds": _holds(one),
            "name": one["name"] if texts or not one["worded"] else WORDED,
        }
        for one in worst["found"]
    ]
    return {**worst, "name": _name(line), "looked": WORST.format(**worst), "found": found}


def _holds(one: Mapping[str, Any]) -> str:
    """Whether test rows say the same as validation did."""
    change = one["difference"]
    if change is None:
        return "too few test rows"
    return "worse on test too" if is_clear(change) else "not clear on test"


def groups(board: Board) -> dict[str, Any] | None:
    """`fairness`: for each column and strategy a line a value. None where no column was named."""
    found = board.get("fairness")
    if not found:
        return None
    return {
        "measures": [{"name": shown_measure(one), "about": about_measure(one)} for one in found["measures"]],
        "columns": [
            {
                **column,
                "strategies": [
                    {
                        "name": _name(line),
                        "lines": [
                            {
                                **value,
                                "cells": [_rate(line["columns"][c][v][one]) for one in found["measures"]],
                            }
                            for v, value in enumerate(column["values"])
                        ],
                    }
                    for line in found["strategies"]
                ],
            }
            for c, column in enumerate(found["columns"])
        ],
    }


def _rate(found: Mapping[str, Any]) -> dict[str, Any]:
    return {**found, "marked": is_clear(found["difference"]), "told": told(found)}


_MEASURES = {
    "error": ("error rate", "share of the rows that are wrong"),
    "predicted": ("predicted as {}", "share of the rows that are given the label"),
    "false_positive": ("false positives, {}", "of the rows without the label, the share that are given it"),
    "false_negative": ("false negatives, {}", "of the rows with the label, the share that are not given it"),
    "calibration": ("confidence less accuracy", "above zero: more confident than right"),
    "bias": ("mean error", "prediction less truth"),
    "mae": ("mean absolute error", "distance of prediction and truth"),
}


def shown_measure(name: str) -> str:
    """false positives, offensive"""
    family, _, label = name.partition("[")
    return _MEASURES[family][0].format(human.short(label.removesuffix("]")))


def about_measure(name: str) -> str:
    return _MEASURES[name.partition("[")[0]][1]


def _name(line: Mapping[str, Any]) -> str:
    return human.entry(line["strategy"], line["backbone"])
