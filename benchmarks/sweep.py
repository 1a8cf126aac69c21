"""Which settings are good defaults: many (strategy, seed) runs on prepared tables, several processes at once.

    python benchmarks/sweep.py specs.json out.jsonl --backbone minilm --data a.parquet b.parquet --seeds 3
    --workers 6

A table has text, label, part (train, val, test) and perhaps text_pair. `specs.json` lists strategies as
config.yaml does. Choose by `val`; `test` is there to say afterwards what the choice was worth.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from pathlib import Path

import numpy as np


def one(job):
    import torch

    from stratune.data.load import load_split
    from stratune.data.rows import text_columns
    from stratune.fitting.fit import train
    from stratune.strategy import parse_strategy
    from stratune.task import Task
    from stratune.train.settings import Budget, TrainSettings

    spec, data, seed, backbone, epochs, threads = job
    torch.set_num_threads(threads)
    import pyarrow.parquet as pq

    pair = "text_pair" if "text_pair" in pq.read_schema(data).names else None
    split = load_split(data, Task(text_pair=pair), seed=0, split_column="part")
    started = time.time()
    strategy = parse_strategy({key: value for key, value in spec.items() if key != "precision"})
    settings = TrainSettings(precision=spec.get("precision", "auto"))
    trained = train(strategy, backbone, split.task, split, Budget(epochs=epochs), seed, settings=settings)
    found = {}
    for part in ("val", "test"):
        texts, pairs = text_columns(split.parts[part])
        answers = trained.predictor.model(texts, pairs)
        truth = split.task.target.truth(split.parts[part]["label"])
        values = split.task.target.score(truth, answers.predictions, answers.invalid)
        found[part] = {k: round(values[k], 4) for k in ("accuracy", "f1_macro", "log_loss")}
    return {
        "data": Path(data).stem,
        "spec": spec,
        "seed": seed,
        **found,
        "trainable_params": trained.trainable_params,
        "seconds": round(time.time() - started, 1),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("specs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--backbone", default="minilm")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--from-seed", type=int, default=0, help="the first of them, to go on from a run before"
    )
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    specs = json.loads(asked.specs.read_text())
    jobs = [
        (dict(spec), data, seed, asked.backbone, asked.epochs, asked.threads)
        for spec in specs
        for data in asked.data
        for seed in range(asked.from_seed, asked.seeds)
    ]
    rows = []
    with multiprocessing.get_context("spawn").Pool(asked.workers) as pool, asked.out.open("w") as out:
        for row in pool.imap_unordered(one, jobs):
            rows.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()
    for data in sorted({row["data"] for row in rows}):
        for spec in specs:
            mine = [row for row in rows if row["data"] == data and row["spec"] == spec]
            mean = {
                f"{p} {m}": np.mean([r[p][m] for r in mine])
                for p in ("val", "test")
                for m in ("accuracy", "f1_macro")
            }
            text = "  ".join(f"{name} {value:.4f}" for name, value in mean.items())
            print(f"{data:8} {text}  {np.mean([r['seconds'] for r in mine]):5.1f} s  {json.dumps(spec)}")


if __name__ == "__main__":
    main()
