"""The chunks that decided: for the test documents whose prediction changes most without one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stratune.report import human
from stratune.task import Task

SHOWN = 3  # documents with a right prediction, and as many with a wrong one
COLUMNS = ("id", "part", "truth", "prediction", "evidence")


def shown_evidence(folder: Path, task: Task) -> list[dict[str, Any]]:
    """Rows {id, truth, prediction, right, chunks: [{score, text}]} of a run; none where it names no chunks.

    The largest change comes first. Values are neither right nor wrong: their `right` is None.
    """
    import pyarrow.parquet as pq

    path = folder / "predictions.parquet"
    if "evidence" not in pq.read_schema(path).names:
        return []
    rows = [row for row in pq.read_table(path, columns=list(COLUMNS)).to_pylist() if row["part"] == "test"]
    rows = [row for row in rows if row["evidence"]]
    numeric = task.target.is_numeric
    for row in rows:
        row["right"] = None if numeric else row["truth"] == row["prediction"]
        row["chunks"] = row.pop("evidence")
    rows.sort(key=lambda row: -abs(row["chunks"][0]["score"]))
    if numeric:
        return [_readable(row) for row in rows[: 2 * SHOWN]]
    parts = [[row for row in rows if row["right"] == right][:SHOWN] for right in (True, False)]
    return [_readable(row) for part in parts for row in part]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    values = {
        key: human.score(row[key]) if isinstance(row[key], float) else row[key]
        for key in ("truth", "prediction")
    }
    return {**row, **values}
