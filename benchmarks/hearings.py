"""Whole court hearings, 604 of about 10,400 words: how much memory do training on them and predicting them hold?

    python benchmarks/hearings.py SCOTUS [--out hearings-out]

SCOTUS is a folder with turns.parquet and docs.parquet. The target is a number that all hearings have, their year: what counts here
is size, not skill. Frozen chunk vectors under four aggregators, then the backbone tuned through chunks and through all chunks of a
hearing at once, for a small part of an epoch. Then a new process predicts all hearings with the last model. A line goes to
benchmarks/results.jsonl; the exit code is 1 where anything held 4 GB.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path

LIMIT = 4e9
PART = 0.04  # of an epoch, for what is tuned


def preset(name, way, **settings):
    tuned = {"epochs": PART} if name == "lora" else {}
    label = "-".join([name, *(str(settings[key]) for key in ("model", "aggregate") if key in settings)])
    return {
        "preset": name,
        "name": label,
        **tuned,
        "readout": {"long": {"way": way, "window": 256, **settings}},
    }


STRATEGIES = [
    "tfidf",
    preset("probe", "chunk", aggregate="auto"),
    preset("probe", "hierarchical", model="mean"),
    preset("probe", "hierarchical", model="attention"),
    preset("probe", "hierarchical", model="transformer"),
    preset("lora", "chunk", aggregate="mean"),
    preset("lora", "hierarchical", model="attention"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scotus", type=Path)
    parser.add_argument("--out", type=Path, default=Path("hearings-out"))
    args = parser.parse_args()

    import stratune as st
    from stratune.result import run_id

    board = st.compare(
        args.scotus / "turns.parquet",
        label="term",
        task={"kind": "regression"},
        strategies=STRATEGIES,
        data={
            "fractions": [0.6, 0.1, 0.3],
            "transcripts": {"by": "turn", "labels": str(args.scotus / "docs.parquet"), "no_speakers": True},
        },
        out=args.out / "board",
    )
    done = {
        row["strategy"]: {
            "peak_bytes": row["peak_bytes"],
            "train_seconds": row["train_seconds"],
            "predict_rows_per_second": row["predict_rows_per_second"],
        }
        for row in board.rows
    }
    last = STRATEGIES[-1]["name"]
    model = args.out / "board" / "runs" / run_id(last, "minilm", 0) / "model"
    done["predict"] = predicted(model, board, args.out / "hearings.jsonl")
    for name, figures in done.items():
        print(name, {key: round(value, 2) for key, value in figures.items() if value is not None})
    line = {"date": str(datetime.date.today()), "benchmark": "hearings", **done}
    with (Path(__file__).parent / "results.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
    sys.exit(1 if any(one["peak_bytes"] >= LIMIT for one in done.values()) else 0)


def predicted(model, board, source):
    """All hearings by `stratune predict`, in a process of its own."""
    from stratune.comparison.source import split_of
    from stratune.config import read_config

    parts = split_of(read_config(board.out / "config.yaml")).parts.values()
    texts = [text for rows in parts for text in rows["text"]]
    with source.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    started = time.perf_counter()
    command = [Path(sys.executable).parent / "stratune", "predict", model, source]
    process = subprocess.Popen([*command, "-o", source.with_suffix(".parquet")])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"predict ended with {os.waitstatus_to_exitcode(status)}")
    seconds = time.perf_counter() - started
    peak = usage.ru_maxrss * 1024
    words = sum(len(text.split()) for text in texts) / len(texts)
    return {"peak_bytes": peak, "rows": len(texts), "words": words, "seconds": seconds}


if __name__ == "__main__":
    main()
