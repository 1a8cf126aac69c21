"""OUT/trials.parquet: every trial of every run in one table, for pandas; a view of the runs' trials.jsonl.

A line each: `strategy`, `backbone`, `seed` of the run; `kind` ("settings" of a budget's trial, or "prompt");
`number` in the order tried; `status`, `error`; `chosen`, as one of a run that ended well is; `settings` as
JSON, and each option as `setting_<name>`; validation metrics as `val_<metric>`; `seconds` of training,
`examples_seen`, `price`; of halved trials `share` of a whole training that was done, and `rungs` as JSON.
What a trial does not have is null.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.files import replacing
from stratune.ownership import owned_by_us
from stratune.report.comparison import Comparison, Run

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "trials.parquet"
Line = dict[str, Any]


def table(comparison: Comparison) -> pa.Table:
    """Runs in the order of their folders, a run's trials in the order of its file; no rows without trials."""
    import pyarrow as pa

    lines = [line for run in comparison.runs for line in _lines(run)]
    settings = dict.fromkeys(f"setting_{name}" for line in lines for name in line["settings"])
    metrics = dict.fromkeys(f"val_{name}" for line in lines for name in line["val"])
    columns: dict[str, pa.Array] = {}
    for name, kind in _kinds().items():
        values = [line.get(name) for line in lines]
        if name in ("settings", "rungs"):
            values = [_json(value) if value else None for value in values]
        columns[name] = pa.array(values, kind)
    for name in settings:
        columns[name] = _column([line["settings"].get(name.removeprefix("setting_")) for line in lines])
    for name in metrics:
        columns[name] = pa.array([line["val"].get(name.removeprefix("val_")) for line in lines], pa.float64())
    return pa.table(columns)


def _kinds() -> dict[str, pa.DataType]:
    import pyarrow as pa

    text, count, number = pa.string(), pa.int64(), pa.float64()
    return {
        "strategy": text, "backbone": text, "seed": count, "kind": text, "number": count, "status": text,
        "chosen": pa.bool_(), "error": text, "settings": text, "seconds": number, "examples_seen": count,
        "price": number, "share": number, "rungs": text,
    }  # fmt: skip


def _lines(run: Run) -> list[Line]:
    result, ended = run.result, run.result.status == "ok"
    # of a budget's trials the result tells how many there were; lines without that are prompts
    kind = "settings" if "trials" in result.tried or not ended else "prompt"
    of_run = {"strategy": result.strategy, "backbone": result.backbone, "seed": result.seed, "kind": kind}
    return [
        {"status": "ok", "settings": {}, **line, **of_run, "chosen": ended and place == 0}
        for place, line in enumerate(run.trials)
    ]


def _column(values: Sequence[Any]) -> pa.Array:
    """Truth values, whole numbers, numbers or texts; text where they are of several kinds, or lists."""
    import pyarrow as pa

    types = {type(value) for value in values if value is not None}
    if types <= {int, float} and types:
        return pa.array(values, pa.float64() if float in types else pa.int64())
    if types in ({bool}, {str}):
        return pa.array(values)
    as_text = [value if value is None or isinstance(value, str) else _json(value) for value in values]
    return pa.array(as_text, pa.string())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def files(table: pa.Table) -> tuple[str, ...]:
    """What `save` writes."""
    return (FILE,) if table.num_rows else ()


def save(out: Path, table: pa.Table) -> None:
    """Whole or not at all. One of a comparison that has no trials any more is removed."""
    import pyarrow.parquet as pq

    if not table.num_rows:
        owned_by_us(out).disown([FILE])
        return
    with replacing(out / FILE) as temporary:
        pq.write_table(table, temporary)
