"""Weights of real size: load, ask and LoRA-tune a LLaMA-shaped model with random weights; time and memory.

    python benchmarks/sized.py [--shape 1b] [--weights bfloat16] [--rows 16] [--words 20]

Each step runs in a process of its own; memory is the most that it took beyond its libraries, as a share of the file of weights. A line
for each goes to benchmarks/results.jsonl. What the answers say means nothing: the weights are drawn.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results.jsonl"
STEPS = ("load", "zero_shot", "lora")


def weights_bytes(folder):
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def measured(step, folder, weights, rows, words):
    """What one step took, in this process."""
    import torch
    import transformers  # noqa: F401  its memory is not the step's

    from stratune.backbone.load import load_backbone
    from stratune.fitting.fit import train
    from stratune.memory import PeakMemory, set_up_memory, status_bytes
    from stratune.strategy import parse_strategy
    from stratune.testing.toy import toy_split
    from stratune.train.runtime import default_device
    from stratune.train.settings import Budget, TrainSettings

    set_up_memory()
    split = toy_split(rows=rows)
    if words:
        long = {part: table.map(lambda row: {"text": " ".join((row["text"].split() * words)[:words])})
                for part, table in split.parts.items() if part != "unlabelled"}  # fmt: skip
        split = type(split)(**{**vars(split), **long})
    libraries = status_bytes("VmRSS")
    memory, started = PeakMemory(), time.perf_counter()
    if step == "load":
        load_backbone(str(folder), language_model=True, weights=weights, device=default_device())
    else:
        spec = {"preset": step} | ({"epochs": 1} if step == "lora" else {})
        settings = TrainSettings(weights=weights, max_length=words * 2 + 64 if words else None)
        trained = train(
            parse_strategy(spec), str(folder), split.task, split, Budget(epochs=1), 0, settings=settings
        )
        with tempfile.TemporaryDirectory() as out:
            trained.predictor.save(Path(out) / "model")
    peak = memory.peak_bytes() - (0 if torch.cuda.is_available() else libraries)
    found = {
        "seconds": time.perf_counter() - started,
        "peak_bytes": peak,
        "peak_share_of_file": peak / weights_bytes(folder),
    }
    if step == "lora":
        found |= {"train_seconds": trained.train_seconds, "rows": len(split.train)}
    return found


def main():
    from stratune.testing.sized import SHAPES, save_llama
    from stratune.version import machine, versions

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="1b", choices=SHAPES)
    parser.add_argument("--weights", default="bfloat16", choices=["float32", "bfloat16", "int8", "nf4"])
    parser.add_argument(
        "--rows", type=int, default=16, help="training rows; a third as many to choose and to test on"
    )
    parser.add_argument(
        "--words", type=int, default=0, help="of each text (default: the short ones of the tests)"
    )
    parser.add_argument(
        "--folder", type=Path, help="of the model, made where it is not there (default: a temporary one)"
    )
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(measured(asked.step, asked.folder, asked.weights, asked.rows, asked.words)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary) / asked.shape
        if not folder.is_dir():
            save_llama(folder, asked.shape)
        how = [
            "--shape",
            asked.shape,
            "--weights",
            asked.weights,
            "--rows",
            str(asked.rows),
            "--words",
            str(asked.words),
        ]
        line = {"date": str(datetime.date.today()), "benchmark": "sized", "shape": asked.shape, "weights": asked.weights,
                "words": asked.words, "file_bytes": weights_bytes(folder)}  # fmt: skip
        for step in STEPS:
            command = [sys.executable, __file__, *how, "--folder", str(folder), "--step", step]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            line[step] = json.loads(output.splitlines()[-1])
            print(step, {key: round(value, 3) for key, value in line[step].items()}, flush=True)
    with RESULTS.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line | {"machine": machine(), "versions": versions()}) + "\n")


if __name__ == "__main__":
    main()
