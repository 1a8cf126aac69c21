"""A comparison folder of random numbers. `python -m tests.report.synthetic OUT [odd] [KIND]`: one to see."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from stratune.evaluate.kinds import KINDS
from stratune.files import write_json
from stratune.ownership import Owned
from stratune.result import RunResult, run_id
from stratune.task import Task
from tests.scores import score

LEVELS = ("poor", "fair", "good", "very good", "superb")
TOPICS = ("food", "service", "price", "noise", "parking", "view")
ODD_LABELS = ('it\'s <b>good</b> & "new"', "bad/worse $x$ |", "schräg 中文 ✓")
SEEDS = (0, 1, 2)
# strategy, backbone, how far the right label stands out, trainable parameters, seconds
STRATEGIES = (
    ("majority", None, 0.0, 0, 0.0),
    ("tfidf", None, 0.6, 41_000, 1.3),
    ("lora", "sentence-transformers/all-MiniLM-L6-v2", 1.9, 74_498, 31.2),
    ("full", "sentence-transformers/all-MiniLM-L6-v2", 2.0, 22_713_984, 64.0),
)
LABELS_OF = {
    "classification": ("negative", "positive"),
    "ordinal": LEVELS,
    "multilabel": TOPICS,
    "regression": (),
}
FAILED = (
    "partial",
    "sentence-transformers/all-MiniLM-L6-v2",
    "out of memory: 5.1 GB wanted, 3.9 GB <free> [now]",
)


def make(
    out,
    *,
    labels=("negative", "positive"),
    rows=120,
    seeds=SEEDS,
    groups=False,
    metric="",
    extra=(),
    kind="classification",
    annotations=None,
):
    """Write OUT; returns it. `extra`: more rows like STRATEGIES. `annotations`: "several", lists of 3 to 5, or
    columns such as "ann+bob+cy", of raters who each rated every row.
    """
    task = Task(
        text="review",
        label="label",
        labels=tuple(labels),
        group="film" if groups else None,
        metric=metric,
        kind=kind,
        annotations=annotations,
    )
    parts = {"train": rows * 3, "val": rows, "test": rows}
    truth = {part: true_answers(task, size) for part, size in parts.items()}
    ids = {part: [f"{part}-{index}" for index in range(size)] for part, size in parts.items()}
    balance = {part: rows_of_labels(task, truth[part]) for part in parts}
    split = {
        "fingerprint": "f" * 64,
        "task": task.to_dict(),
        "parts": ids,
        "balance": balance,
        "notes": ["a note"],
    }
    write_json(out / "split.json", split)
    write_json(
        out / "data.json", {"rows": 600, "findings": [{"level": "warning", "what": "3 duplicate <texts>"}]}
    )
    config = {"task": task.to_dict(), "budget": {"epochs": 4, "trials": 1}, "seeds": list(seeds)}
    (out / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    for strategy in (*STRATEGIES, *extra):
        for seed in seeds:
            write_run(out, task, truth, ids, strategy, seed)
    for seed in seeds:
        failed = RunResult(FAILED[0], FAILED[1], seed, status="failed", error=FAILED[2])
        failed.save(out / "runs" / failed.run_id / "result.json")
    runs = {f"runs/{folder.name}" for folder in (out / "runs").iterdir()}
    Owned(out, "made for a test", {}, {"config.yaml", "split.json", "data.json", *runs}).save()
    return out


def true_answers(task, rows):
    draws = np.random.default_rng(7)
    if task.kind == "regression":
        return np.round(draws.gamma(4.0, 3.0, rows), 1)
    if task.kind == "multilabel":
        return (draws.random((rows, len(task.labels))) < np.linspace(0.5, 0.1, len(task.labels))).astype(int)
    return draws.choice(len(task.labels), rows)


def rows_of_labels(task, truth):
    if task.kind == "multilabel":
        return dict(zip(task.labels, map(int, truth.sum(axis=0)), strict=True))
    return {label: int((truth == index).sum()) for index, label in enumerate(task.labels)}


def write_run(out, task, truth, ids, strategy, seed):
    name, backbone, strength, params, seconds = strategy
    folder = out / "runs" / run_id(name, backbone, seed)
    folder.mkdir(parents=True)
    draws = np.random.default_rng([seed, len(name), int(strength * 100)])
    said = {part: SIMULATE[task.kind](draws, truth[part], len(task.labels), strength) for part in PARTS}
    write_predictions(folder / "predictions.parquet", task, truth, ids, said)
    scores = {part: score(truth[part], said[part], task.labels, kind=task.kind) for part in PARTS}
    if params > 100_000 or backbone:
        write_history(folder / "history.jsonl", draws, scores["val"][task.metric])
    RunResult(
        name,
        backbone,
        seed,
        **scores,
        trainable_params=params,
        total_params=params + 100,
        examples_seen=len(truth["train"]) * 4 if params else 0,
        best_epoch=3.0,
        train_seconds=seconds * (1 + seed / 10),
        train_rows_per_second=1000 / seconds if seconds else None,
        predict_rows_per_second=241.0,
        peak_bytes=1_200_000_000 if backbone else None,
        artifact_bytes=310_000,
        precision="bfloat16" if backbone else "float32",
        tokens_cut=12,
        floor=name == "majority",
        fingerprint="f" * 64,
        settings={"learning_rate": 0.001, "recipe": {"epochs": 4, "patience": 2}},
        versions={"stratune": "0.1.0", "torch": "2.13.0"},
    ).save(folder / "result.json")


def simulate(draws, truth, label_count, strength):
    logits = (
        draws.normal(size=(len(truth), label_count)) * (strength > 0) + strength * np.eye(label_count)[truth]
    )
    odds = np.exp(logits) * np.linspace(1.1, 1.0, label_count)
    return odds / odds.sum(axis=1, keepdims=True)


def simulate_levels(draws, truth, label_count, strength):
    """The right level stands out, and those beside it a little less."""
    off = abs(np.arange(label_count) - truth[:, None])
    logits = draws.normal(size=off.shape) * (strength > 0) - strength * off
    odds = np.exp(logits) * np.linspace(1.1, 1.0, label_count)
    return odds / odds.sum(axis=1, keepdims=True)


def simulate_sets(draws, truth, label_count, strength):
    logits = draws.normal(size=truth.shape) * (strength > 0) + 2 * strength * (truth - 0.5) - 0.4
    return 1 / (1 + np.exp(-logits))


def simulate_values(draws, truth, label_count, strength):
    """Between the mean, strength 0, and the truth; with noise, and shy of the extremes."""
    if not strength:
        return np.full((len(truth), 1), truth.mean())
    share = strength / (strength + 1)
    return (truth.mean() + share * (truth - truth.mean()) + draws.normal(size=len(truth)) * 3)[:, None]


PARTS = ("val", "test")
SIMULATE = {
    "classification": simulate,
    "ordinal": simulate_levels,
    "multilabel": simulate_sets,
    "regression": simulate_values,
}


def in_words(task, answers):
    """Label indices, label sets (N, K) or numbers as predictions.parquet has them."""
    if task.kind == "regression":
        return [float(number) for number in answers]
    if task.kind == "multilabel":
        return [
            ",".join(label for label, has in zip(task.labels, row, strict=True) if has) for row in answers
        ]
    return [task.labels[index] for index in answers]


def rated(task, truth):
    """What raters said of each row: the truth with noise, or another label in a fifth of the cases."""
    draws = np.random.default_rng(11)
    several = task.annotations == "several"
    counts = draws.integers(3, 6, len(truth)) if several else [task.annotations.count("+") + 1] * len(truth)
    if task.kind == "regression":
        return [
            list(answer + draws.normal(size=count) * 4) for answer, count in zip(truth, counts, strict=True)
        ]
    last = len(task.labels) - 1
    off = [draws.choice([-1, 0, 1], count, p=[0.1, 0.8, 0.1]) for count in counts]
    return [
        [task.labels[k] for k in np.abs(last - np.abs(last - (answer + step)))]
        for answer, step in zip(truth, off, strict=True)
    ]


def decided(task, said):
    if task.kind == "regression":
        return said[:, 0]
    return said >= 0.5 if task.kind == "multilabel" else said.argmax(axis=1)


def write_predictions(path, task, truth, ids, said):
    columns = {"id": [], "part": [], "truth": [], "prediction": [], "tokens_cut": []}
    columns |= {f"score_{label}": [] for label in task.labels}
    if task.group:
        columns["group"] = []
    if task.annotations:
        columns["annotations"] = []
    for part, scores in said.items():
        columns["id"] += ids[part]
        columns["part"] += [part] * len(scores)
        columns["truth"] += in_words(task, truth[part])
        columns["prediction"] += in_words(task, decided(task, scores))
        columns["tokens_cut"] += [0] * len(scores)
        for index, label in enumerate(task.labels):
            columns[f"score_{label}"] += scores[:, index].tolist()
        if task.group:
            columns["group"] += [f"film {index // 10}" for index in range(len(scores))]
        if task.annotations:
            columns["annotations"] += rated(task, truth[part])
    pq.write_table(pa.table(columns), path)


def write_history(path, draws, best):
    lines = []
    for step in range(1, 41):
        epoch = step / 10
        val = float(best - 0.25 * np.exp(-epoch) + draws.normal() * 0.01) if step % 10 == 0 else None
        loss = float(0.7 * np.exp(-epoch / 2))
        fields = {
            "step": step,
            "epoch": epoch,
            "loss": loss,
            "learning_rate": 1e-3,
            "seconds": step * 0.8,
            "val": val,
        }
        lines.append(json.dumps(fields))
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    wanted = next((kind for kind in KINDS if kind in sys.argv), "classification")
    names = ODD_LABELS if "odd" in sys.argv else LABELS_OF[wanted]
    raters = next((name.removeprefix("raters=") for name in sys.argv if name.startswith("raters=")), None)
    make(Path(sys.argv[1]), labels=names, rows=400, kind=wanted, annotations=raters)
