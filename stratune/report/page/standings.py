"""The board as the scripts of the page need it: names, values to compare, and differences of pairs."""

from __future__ import annotations

from typing import Any

from stratune.evaluate.metrics import METRICS
from stratune.report import tables
from stratune.report.scene import Scene
from stratune.report.style import MARKERS

Board = dict[str, Any]

_COSTS = {
    "train_seconds": "training time",
    "predict_rows_per_second": "predicted rows a second",
    "peak_bytes": "memory",
    "artifact_bytes": "bytes on disk",
    "trainable_params": "trainable parameters",
}


def standings(scene: Scene) -> dict[str, Any]:
    """`rows` in the order of the board, those with results; `pairs` by part, with ranks as names."""
    board = scene.board
    shown = set(tables.shown_metrics(board))
    rows = [
        {
            "rank": row["rank"],
            "name": name.strip("\u200a"),
            "color": look.color,
            "marker": MARKERS.index(look.marker),
            "winner": bool(row.get("winner")),
            "tied": bool(row.get("tied")),
            "val": row["val"].get(board["metric"]),
            "test": {key: row["test"][key]["value"] for key in shown if key in row["test"]},
            "costs": {key: row.get(key) for key in _COSTS},
        }
        for row, name, look in zip(scene.rows, scene.names, scene.looks, strict=True)
    ]
    pairs = board.get("pairs") or {}  # boards before 0.9 have none
    return {
        "metric": board["metric"],
        "metrics": tables.shown_metrics(board),
        "higher": {name: higher_is_better(board, name) for name in tables.shown_metrics(board)},
        "costs": _COSTS,
        "rows": rows,
        "pairs": {part: [_pair(one) for one in found] for part, found in pairs.items()},
    }


def _pair(pair: dict[str, Any]) -> list[Any]:
    """[a, b, metric, difference, low, high, p]: names of keys would be most of the page."""
    numbers = [pair.get(key) for key in ("difference", "low", "high", "p")]
    short = [None if one is None else float(f"{one:.5g}") for one in numbers]
    return [pair["a"], pair["b"], pair["metric"], *short]


def higher_is_better(board: Board, name: str) -> bool:
    """Also of the metric of one label, `f1[positive]`, and of one that somebody registered."""
    if name == board["metric"]:
        return not tables.direction(board)
    metric = METRICS.get(name.partition("[")[0])  # a metric of a label is a share: more is better
    return metric is None or metric.higher_is_better
