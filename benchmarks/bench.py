"""Side by side, in one run, on the same rows: stratune and what a user would write with transformers' Trainer.

    python benchmarks/bench.py [--mrpc DIR] [--only full partial predict few_shot] [--rows N]

`full`      every weight learns, 3 epochs (the Trainer's default)
`partial`   the last two blocks and the head learn, 4 epochs
`few_shot`  the embedded language model asked with 8 demonstrations (asking.py)
`predict`   the fully tuned models on the test part, tokenising included for both; medians of 5 in turn

The Trainer has its defaults: batch size 8, float32, dynamic padding, learning rate 5e-5 (the partial run gets ours, which
is better for it). A line per benchmark is added to benchmarks/results.jsonl. Without MRPC the embedded reviews are used.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
BACKBONE = "minilm"


def read_split(mrpc: Path, rows: int | None):
    from stratune.data.load import load_split
    from stratune.task import Task

    if mrpc.is_dir():
        task = Task(text="sentence1", text_pair="sentence2", label="label")
        files = {"source": str(mrpc / "train.parquet"), "test": str(mrpc / "test.parquet")}
        return "mrpc", load_split(
            files["source"],
            task,
            seed=0,
            test=files["test"],
            fractions=(0.85, 0.10, 0.05),
            sizes=(rows, None, None),
        )
    print(f"{mrpc} is not there: the embedded reviews stand in")
    return "reviews", load_split("demo:reviews", seed=0, sizes=(rows or 2000, 300, 1000))


def accuracy(probabilities, table, task):
    return float((probabilities.argmax(axis=1) == task.target.truth(table["label"])).mean())


# -- stratune ----------------------------------------------------------------------------------------------------------


def ours(spec, split, epochs, settings=None):
    from stratune.fitting.fit import train
    from stratune.strategy import parse_strategy
    from stratune.train.settings import Budget

    return train(
        parse_strategy(spec), BACKBONE, split.task, split, Budget(epochs=epochs), 0, settings=settings
    )


def our_answers(trained, table):
    from stratune.data.rows import text_columns

    return trained.predictor.model(*text_columns(table)).predictions


# -- the Trainer -------------------------------------------------------------------------------------------------------


def rows_of(table, tokenizer, task):
    from stratune.data.rows import text_columns

    encoded = tokenizer(*text_columns(table), truncation=True)
    labels = task.target.truth(table["label"])
    return [{**{k: v[i] for k, v in encoded.items()}, "labels": int(labels[i])} for i in range(len(labels))]


def trainer_for(split, epochs, frozen_below, folder, learning_rate):
    """The model and Trainer of the text-classification example, with as little said as it allows."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

    from stratune.backbone.locate import locate

    path = locate(BACKBONE)
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=len(split.task.labels))
    if frozen_below is not None:
        for parameter in model.base_model.embeddings.parameters():
            parameter.requires_grad_(False)
        for block in model.base_model.encoder.layer[:frozen_below]:
            block.requires_grad_(False)
    arguments = TrainingArguments(
        folder, num_train_epochs=epochs, save_strategy="no", report_to=[], disable_tqdm=True, seed=0, use_cpu=True,
        **({"learning_rate": learning_rate} if learning_rate else {}),
    )  # fmt: skip
    rows = rows_of(split.train, tokenizer, split.task)
    return Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer), tokenizer


def their_training(split, epochs, frozen_below=None, learning_rate=None):
    """(trainer, tokenizer, seconds of training)."""
    trainer, tokenizer = trainer_for(split, epochs, frozen_below, tempfile.mkdtemp(), learning_rate)
    started = time.perf_counter()
    trainer.train()
    return trainer, tokenizer, time.perf_counter() - started


def their_answers(trainer, tokenizer, table, task):
    return trainer.predict(rows_of(table, tokenizer, task)).predictions


# -- benchmarks --------------------------------------------------------------------------------------------------------


def compare_training(name, split, epochs, frozen_below, learning_rate):
    """Only training is timed: our looks at validation are left out, and the Trainer takes none."""
    trained = ours(name, split, epochs)
    trainer, tokenizer, their_seconds = their_training(split, epochs, frozen_below, learning_rate)
    rows = len(split.train) * epochs
    figures = {
        "stratune_rows_per_second": rows / trained.train_seconds,
        "trainer_rows_per_second": rows / their_seconds,
        "ratio": their_seconds / trained.train_seconds,
        "stratune_accuracy": accuracy(our_answers(trained, split.test), split.test, split.task),
        "trainer_accuracy": accuracy(
            their_answers(trainer, tokenizer, split.test, split.task), split.test, split.task
        ),
    }
    return figures, trained, trainer, tokenizer


def compare_predicting(split, trained, trainer, tokenizer, times=5):
    def clocked(answer):
        started = time.perf_counter()
        answer()
        return time.perf_counter() - started

    pairs = [
        (
            clocked(lambda: our_answers(trained, split.test)),
            clocked(lambda: their_answers(trainer, tokenizer, split.test, split.task)),
        )
        for _ in range(times)
    ]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = [b / a for a, b in pairs]
    return {
        "stratune_rows_per_second": len(split.test) / mine,
        "trainer_rows_per_second": len(split.test) / theirs,
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
    }


def machine():
    model = platform.processor() or platform.machine()
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        names = [
            line.split(":")[1].strip()
            for line in listing.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.system()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mrpc", type=Path, default=HERE.parent.parent / "shared/data/mrpc")
    parser.add_argument("--rows", type=int, help="training rows; all by default")
    parser.add_argument("--times", type=int, default=5, help="pairs of predictions timed")
    parser.add_argument("--only", nargs="+", default=["full", "partial", "predict", "few_shot"])
    asked = parser.parse_args()
    from stratune.strategy import parse_strategy
    from stratune.version import versions

    name, split = read_split(asked.mrpc, asked.rows)
    print(f"{name}: {split.sizes}")
    done = {}
    if {"full", "predict"} & set(asked.only):
        done["full"], *fitted = compare_training("full", split, 3, None, None)
        show("full", done["full"])
        done["predict"] = compare_predicting(split, *fitted, times=asked.times)
        show("predict", done["predict"])
    if "partial" in asked.only:
        rate = parse_strategy("partial").recipe.learning_rate
        done["partial"], *_ = compare_training("partial", split, 4, 4, rate)
        show("partial", done["partial"])
    if "few_shot" in asked.only:
        from asking import compare_asking

        done["few_shot"] = compare_asking(split)
        show("few_shot", done["few_shot"])
    with (HERE / "results.jsonl").open("a", encoding="utf-8") as results:
        for benchmark, figures in done.items():
            about = {
                "date": str(datetime.date.today()),
                "benchmark": benchmark,
                "data": name,
                "rows": split.sizes,
            }
            rounded = {key: float(np.round(value, 4)) for key, value in figures.items()}
            results.write(
                json.dumps({**about, **rounded, "machine": machine(), "versions": versions()}) + "\n"
            )


def show(benchmark, figures):
    print(f"{benchmark:8}" + "  ".join(f"{key} {value:.3f}" for key, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
