"""What a GPU run must keep: every technique trains there, its folder answers there as on the CPU, threads agree.

    python benchmarks/gpu.py [--seconds 300]

No network and no weights: tiny models, and one of BERT-base's size, with random weights. Prints one JSON object a
line; exit code 1 when a check fails. What was seen: benchmarks/gpu.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from stratune.fitting.fit import train
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.testing import save_tiny, toy_split
from stratune.train.settings import Budget, TrainSettings

ONE = {"name": "one", "row": "{text}", "answer": "= {label}", "chat": False}
HEADS = ["probe", "partial", "full", "bitfit", "lora", "ia3", "houlsby", "prefix", "soft_prompt", "p_tuning"]
ASKING = [
    {"preset": "zero_shot", "readout": {"template": ONE}},
    {"preset": "few_shot", "readout": {"template": ONE, "shots": 4, "calibrate": "batch"}},
    {"preset": "completion", "readout": {"template": ONE}},
    {"preset": "few_shot+generate", "readout": {"template": ONE, "shots": 2}},
]
TEXTS = ["the cat saw a dog", "rain", "a horse and a bird near the old house again and again", "snow today"]
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}


def fitted(spec, folder, split=None, epochs=1, **settings):
    split = split or toy_split(rows=64)
    options = TrainSettings(**settings)
    return train(
        parse_strategy(spec), str(folder), split.task, split, Budget(epochs=epochs), 0, settings=options
    )


def say(what, ok=True, **found):
    print(json.dumps({"check": what, "ok": bool(ok), **found}), flush=True)
    return bool(ok)


def check_technique(spec, folder, place):
    name = spec if isinstance(spec, str) else spec["preset"]
    run = fitted(spec, folder, precision="float32")
    predictor = run.predictor
    saved = predictor.save(place / name.replace("+", "-"))  # reloads on the same device, and compares
    here = predictor.predict_proba(TEXTS)
    there = Predictor.load(saved, device="cpu").predict_proba(TEXTS)
    gap = float(np.nanmax(np.abs(here - there), initial=0.0))
    alike = gap < 1e-3 and np.array_equal(np.isnan(here), np.isnan(there))
    return say(f"{name} on {predictor.model.device}, folder on cpu", alike, gap=gap)


def check_threads(spec, folder, rounds=50):
    predictor = fitted(spec, folder, precision="float32").predictor
    alone = [predictor.predict_proba(texts) for texts in (TEXTS, TEXTS[::-1])]
    worst = 0.0
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            found = [pool.submit(predictor.predict_proba, texts) for texts in (TEXTS, TEXTS[::-1])]
            for one, wanted in zip(found, alone, strict=True):
                worst = max(worst, float(np.abs(one.result() - wanted).max()))
    return say("two threads", worst < 1e-5, rounds=rounds, gap=worst)


def check_recompute(folder):
    still = {"precision": "float32", "cache": True}
    plain = fitted("partial", folder, **still).predictor.predict_proba(TEXTS)
    again = fitted("partial", folder, gradient_checkpointing=True, **still).predictor.predict_proba(TEXTS)
    gap = float(np.abs(plain - again).max())
    return say("gradient checkpointing above frozen blocks", gap < 1e-3, gap=gap)


def speed(folder, preset, precision):
    split = toy_split(rows=4096)
    started = time.perf_counter()
    run = fitted(preset, folder, split, precision=precision)
    torch.cuda.synchronize()
    rows = run.state.examples_seen if hasattr(run, "state") else run.position.examples_seen
    say(
        f"speed {preset} {precision}", True, rows=rows, train_rows_per_second=round(rows / run.train_seconds, 1),
        seconds=round(time.perf_counter() - started, 1), peak_gb=round(torch.cuda.max_memory_allocated() / 1e9, 2),
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=300, help="no new part is begun after that")
    end = time.monotonic() + parser.parse_args().seconds
    if not torch.cuda.is_available():
        sys.exit("no GPU: nothing to check")
    say("device", name=torch.cuda.get_device_name(), torch=torch.__version__)
    place = Path(tempfile.mkdtemp())
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    bert, llama = save_tiny("bert", place / "bert"), save_tiny("llama", place / "llama")
    good = [check_technique(spec, bert, place) for spec in HEADS]
    good += [check_technique(spec, llama, place) for spec in ASKING]
    good += [check_threads("lora", bert), check_threads(ASKING[1], llama)]
    good.append(check_recompute(save_tiny("bert", place / "still", **still)))
    base = save_tiny("bert", place / "base", **BASE)
    for preset in ("full", "lora"):
        for precision in ("bfloat16", "float32"):
            if time.monotonic() < end:
                speed(base, preset, precision)
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
