"""A whole comparison on tables of different sizes: seconds, memory, and how both grow.

    python benchmarks/rows.py [--rows 5000,50000,500000] [--strategies majority,tfidf] [--out FOLDER]

The texts are halves of the embedded reviews, put together at random within a label: nearly all differ. Each comparison
is a command of its own (`stratune compare`), from reading the file to the report. `memory` is the largest process
(the command, or one that trains). `grows as` is the exponent between a line and the one before it: 1 is linear.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import stratune as st


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default="5000,50000,500000", help="with commas: %(default)s")
    parser.add_argument("--strategies", default="majority,tfidf", help="with commas: %(default)s")
    parser.add_argument("--out", type=Path, help="comparisons are kept here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = given.out or Path(name)
        place.mkdir(parents=True, exist_ok=True)
        print("| rows | whole | grows as | memory | grows as | runs (training) | answered on test |")
        print("|---|---|---|---|---|---|---|", flush=True)
        before = None
        for rows in map(int, given.rows.split(",")):
            found = compared(rows, given.strategies, place)
            grows = (
                ["", ""]
                if before is None
                else [exponent(rows / before[0], found[k] / before[1][k]) for k in (0, 1)]
            )
            print(
                f"| {rows:,} | {found[0]:,.0f} s | {grows[0]} | {found[1]:,.0f} MiB | {grows[1]} | {found[2]} | {found[3]} |",
                flush=True,
            )
            before = rows, found


def exponent(rows: float, value: float) -> str:
    return f"{math.log(value) / math.log(rows):.2f}"


def compared(rows: int, strategies: str, place: Path) -> tuple[float, float, str, str]:
    """Seconds, MiB, seconds of training of each run, rows a second of its answers."""
    source, out = place / f"{rows}.parquet", place / f"out-{rows}"
    pq.write_table(table(rows), source)
    command = [
        sys.executable,
        "-m",
        "stratune",
        "compare",
        "--data",
        str(source),
        "--text",
        "text",
        "--label",
        "label",
    ]
    command += ["--strategies", strategies, "--out", str(out), "--fresh", "--anyway", "-q"]
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "STRATUNE_CACHE": str(place / f"cache-{rows}")})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    board = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))
    peaks = [row["peak_bytes"] / 2**20 for row in board["rows"] if row["peak_bytes"]]
    training = ", ".join(f"{row['strategy']} {row['train_seconds']:,.1f} s" for row in board["rows"])
    answers = ", ".join(
        f"{row['strategy']} {row['predict_rows_per_second']:,.0f} rows/s" for row in board["rows"]
    )
    return seconds, max(used.ru_maxrss / 1024, *peaks), training, answers


def table(rows: int) -> pa.Table:
    parts = st.split("demo:reviews").parts.values()
    texts, labels = (
        np.concatenate([np.asarray(part[name][:]) for part in parts]) for name in ("text", "label")
    )
    of = {label: [text.split() for text in texts[labels == label]] for label in np.unique(labels)}
    drawn = np.random.default_rng(0)
    said = [sorted(of)[k % len(of)] for k in range(rows)]
    mixed = []
    for label in said:
        first, second = (of[label][k] for k in drawn.integers(len(of[label]), size=2))
        mixed.append(" ".join([*first[: len(first) // 2 + 1], *second[len(second) // 2 :]]))
    return pa.table({"text": mixed, "label": said})


if __name__ == "__main__":
    main()
