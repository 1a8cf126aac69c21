"""Write a model folder of every kind, and what the version that wrote it answers.

The folders in `0.6.0` were written by version 0.6.0 (commit ddccaf6), on one CPU thread:

    git worktree add /tmp/old ddccaf6
    OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 PYTHONPATH=/tmp/old python tests/folders/make.py tests/folders/0.6.0

They are never made again: tests/predictor/test_old_folders.py reads them as they were written. Where a later
version writes a kind that 0.6.0 did not have, or in another way, make a folder of that version beside them.

backbones/bert, ...    tiny models that the manifests name, as seen from the folder `backbones`
models/probe, ...      model folders
answers/probe.json     rows, and what was predicted for them
"""

import json
import math
import os
import sys
import tempfile
from pathlib import Path

from datasets import Dataset
from served import SERVERS, TEMPLATE

import stratune as st
from stratune.data.split import assemble
from stratune.task import Task
from stratune.testing import save_tiny, toy_split
from tests.longtext.needles import needle_split
from tests.remote.scripted import Scripted

LONG = "the cat saw rain near the old house. " * 3 + "we heard the storm again and then it was quiet. " * 3
TEXTS = [
    "the cat saw rain near the old house and then it was quiet for a long time",
    "we heard the choir",
    "snow",
    "",
    LONG,
]
SHORT = {"name": "short", "row": "{text}", "answer": "= {label}", "chat": False}
ASKED = {"template": SHORT}
CALIBRATED = {**ASKED, "calibrate": "contextual", "threshold": True, "temperature": True}
SCALE = {"template": {**SHORT, "words": {"2": "cat", "4": "rain"}}, "scale": [2, 4]}
SIZE = {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
BACKBONES = {
    "bert": {**SIZE, "masked": True},
    "llama": {**SIZE, "num_key_value_heads": 1},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2},
}


# -- splits


def labelled(cells, **task):
    """The toy task of two classes with other cells for its labels."""
    tables = {}
    for name, table in toy_split(rows=24).parts.items():
        rows = {**table.to_dict(), "label": [cells[label] for label in table["label"]]}
        tables[name] = Dataset.from_dict({key: rows[key] for key in ("id", "text", "label")})
    return assemble(tables, Task(**task))


def three_levels():
    """Level 1 is a text of many words."""
    tables = {}
    for name, table in toy_split(rows=24).parts.items():
        rows = table.to_dict()
        rows["label"] = [
            "1" if len(text.split()) > 10 else {"animal": "0", "weather": "2"}[label]
            for text, label in zip(rows["text"], rows["label"], strict=True)
        ]
        tables[name] = Dataset.from_dict(rows)
    return assemble(tables, Task(kind="ordinal", labels=("0", "1", "2")))


PLAIN = toy_split(rows=24)
DOCUMENTS = needle_split(sentences=6, rows=24)
PAIRS = toy_split(rows=24, pairs=True, labels=("weather", "animal"))
LEVELS = three_levels()
SETS = labelled(
    {"animal": "animal", "weather": "animal,weather"}, kind="multilabel", labels=("animal", "weather")
)
VALUES = labelled({"animal": "1.6", "weather": "4.4"}, kind="regression")


# -- strategies


def of(preset, readout=None, **options):
    return {"preset": preset, "batch_size": 8, **options, **({"readout": readout} if readout else {})}


def prompt(preset, readout, **options):
    """One that only asks has nothing to train with, so no size of its batches."""
    return {"preset": preset, **options, "readout": readout}


CHUNK = {"way": "chunk", "window": 16, "overlap": 4, "aggregate": "learned"}
TREE = {"way": "hierarchical", "window": 16}

# name -> (strategy, backbone, split)
MODELS = {
    "untuned": (of("untuned"), "bert", PLAIN),
    "probe": (of("probe"), "bert", PLAIN),
    "full": (of("full"), "bert", PLAIN),
    "partial": (of("partial", k=1), "gpt2", PLAIN),
    "bitfit": (of("bitfit"), "bert", PLAIN),
    "lora": (of("lora", rank=2), "llama", PLAIN),
    "lora_gpt2": (of("lora", rank=2), "gpt2", PLAIN),
    "lora_pairs": (of("lora", rank=2), "bert", PAIRS),
    "ia3": (of("ia3"), "bert", PLAIN),
    "houlsby": (of("houlsby", reduction=4), "bert", PLAIN),
    "prefix": (of("prefix", length=3), "llama", PLAIN),
    "prefix_reparametrised": (of("prefix", length=3, reparametrise=True, hidden=8), "bert", PLAIN),
    "soft_prompt": (of("soft_prompt", length=3), "llama", PLAIN),
    "p_tuning": (of("p_tuning", length=3, hidden=8), "bert", PLAIN),
    "peft_vera": (of("peft:vera", r=4), "llama", PLAIN),
    "peft_ln_tuning": (of("peft:ln_tuning"), "bert", PLAIN),
    # kinds of task
    "ordinal_corn": (of("probe", {"loss": "corn"}), "bert", LEVELS),
    "ordinal_cumulative": (of("probe", {"loss": "cumulative"}), "bert", LEVELS),
    "ordinal_mse": (of("probe", {"loss": "mse"}), "llama", LEVELS),
    "multilabel": (of("probe"), "bert", SETS),
    "regression": (of("lora", rank=2), "bert", VALUES),
    # long texts
    "tail": (of("probe", {"long": {"way": "truncate", "keep": "tail"}}), "bert", PLAIN),
    "chunk": (of("lora", {"long": CHUNK}, rank=4, epochs=20, learning_rate=1e-2), "bert", DOCUMENTS),
    "chunk_values": (of("probe", {"long": {**CHUNK, "aggregate": "max"}}), "bert", VALUES),
    "hierarchical": (of("probe", {"long": TREE}), "bert", DOCUMENTS),
    "hierarchical_mlp": (of("houlsby", {"long": {**TREE, "model": "mlp"}}), "llama", DOCUMENTS),
    "hierarchical_cumulative": (of("probe", {"long": TREE, "loss": "cumulative"}), "bert", LEVELS),
    # prompts
    "zero_shot": (prompt("zero_shot", ASKED), "llama", PLAIN),
    "zero_shot_calibrated": (prompt("zero_shot", CALIBRATED), "llama", PLAIN),
    "zero_shot_masked": (prompt("zero_shot", CALIBRATED), "bert", PLAIN),
    "zero_shot_chunk": (
        prompt("zero_shot", {**ASKED, "long": {**CHUNK, "window": 24}, "calibrate": "batch"}), "llama", DOCUMENTS,
    ),
    "zero_shot_scale": (prompt("zero_shot", {**SCALE, "calibrate": "batch"}), "llama", VALUES),
    "few_shot": (prompt("few_shot", {**CALIBRATED, "shots": 2}), "llama", PLAIN),
    "few_shot_tried": (
        prompt("few_shot", {**ASKED, "shots": 2, "draws": 2, "tries": {"calibrate": ["none", "batch"]}}), "gpt2", PLAIN,
    ),
    "few_shot_nearest": (prompt("few_shot", {**ASKED, "shots": 1, "pick": "nearest"}), "llama", PLAIN),
    "completion": (of("completion", ASKED, rank=2), "llama", PLAIN),
    "completion_masked": (of("completion", {**ASKED, "temperature": True}, rank=2), "bert", PLAIN),
    "full_words": (of("full", {"kind": "words", **ASKED}), "gpt2", PLAIN),
    "partial_words": (of("partial", {"kind": "words", **ASKED}, k=1), "gpt2", PLAIN),
    "prefix_words": (of("prefix", {"kind": "words", **ASKED}, length=3), "llama", PLAIN),
    "soft_prompt_words": (of("soft_prompt", {"kind": "words", **ASKED}, length=3), "llama", PLAIN),
    "generate": (prompt("zero_shot", {"kind": "generate", **ASKED, "max_new_tokens": 2}), "gpt2", PLAIN),
    # baselines
    "majority": ({"preset": "majority"}, None, PLAIN),
    "mean": ({"preset": "mean"}, None, VALUES),
    "tfidf": ({"preset": "tfidf"}, None, PLAIN),
    "tfidf_pairs": ({"preset": "tfidf"}, None, PAIRS),
    "tfidf_ordinal": ({"preset": "tfidf"}, None, LEVELS),
    "tfidf_multilabel": ({"preset": "tfidf"}, None, SETS),
    "tfidf_values": ({"preset": "tfidf"}, None, VALUES),
}  # fmt: skip
ASKING_SERVERS = {
    "server": (prompt("zero_shot", {"template": TEMPLATE}), PLAIN),
    "server_calibrated": (prompt("zero_shot", {**CALIBRATED, "template": TEMPLATE}), PLAIN),
    "server_scale": (
        prompt("zero_shot", {"template": {**TEMPLATE, "words": {"2": "animal", "4": "weather"}}, "scale": [2, 4]}), VALUES,
    ),
    "server_nearest": (
        prompt("few_shot", {"template": {**TEMPLATE, "chat": False}, "shots": 1, "pick": "nearest"}), PLAIN,
    ),
    "server_constrained": (prompt("zero_shot", {"template": TEMPLATE}), PLAIN),
    "server_that_only_writes": (prompt("zero_shot", {"template": TEMPLATE}), PLAIN),
    "server_generate": (prompt("zero_shot", {"kind": "generate", "template": TEMPLATE}), PLAIN),
}  # fmt: skip
COMPARED = [
    "tfidf",
    of("lora", rank=2),
    {"preset": "ensemble", "best": 2},
    {"preset": "soup", "of": ["lora"]},
]
LIMITS = {"lora_pairs": {"max_length": 12, "max_words": 8}, "tfidf_pairs": {"max_words": 8}}


# -- writing


def keep(predictor, name, out):
    """The folder, and what the model that is read back from it answers."""
    rows = [*zip(TEXTS, reversed(TEXTS), strict=True)] if predictor.task.text_pair else TEXTS
    predictor.predict(rows)  # as a comparison does before it saves: a server's way to answer is then known
    predictor.save(out / "models" / name)
    loaded = st.Predictor.load(out / "models" / name)
    found = {
        "rows": rows,
        "labels": list(loaded.labels),
        "probabilities": [plain(row) for row in loaded.predict_proba(rows).tolist()],
        "predictions": [
            [one.label, *plain([one.value]), one.invalid, one.tokens_cut] for one in loaded.predict(rows)
        ],
        "about": {key: loaded.about.get(key) for key in ("fingerprint", "seed", "scores", "members")},
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (out / "answers" / f"{name}.json").write_text(text, encoding="utf-8")
    print(name, flush=True)


def plain(numbers):
    """JSON has no NaN."""
    return [None if number is None or math.isnan(number) else number for number in numbers]


def fit_all(out):
    for name, (strategy, backbone, split) in MODELS.items():
        settings = st.TrainSettings(precision="float32", **LIMITS.get(name, {}))
        if name == "generate":
            strategy = {
                **strategy,
                "readout": {**strategy["readout"], "words": {"animal": [spoken(strategy)]}},
            }
        named = {"name": name, **strategy}
        keep(st.fit(named, backbone, split.task, split, st.Budget(epochs=3), settings=settings), name, out)


def spoken(strategy):
    """What the tiny model writes about the first text: made a label's word, one answer at least is valid."""
    predictor = st.fit(strategy, "gpt2", PLAIN.task, PLAIN)
    return predictor.scorer(TEXTS[:1], None).answers[0].strip().splitlines()[0].strip()


def ask_all(out):
    for name, (strategy, split) in ASKING_SERVERS.items():
        server = Scripted(SERVERS[name])
        keep(st.fit({"name": name, **strategy}, f"{server.url}#tiny", split.task, split), name, out)
        server.close()


def combine_all(out):
    """Of a comparison: an ensemble of a baseline and a net, a soup of two seeds."""
    rows = [row for part in PLAIN.parts.values() for row in part.select_columns(["text", "label"])]
    with tempfile.TemporaryDirectory() as folder:
        board = st.compare(
            rows,
            strategies=COMPARED,
            backbones="bert",
            seeds=2,
            epochs=1,
            out=Path(folder) / "out",
            progress=False,
        )
        for name in ("ensemble", "soup"):
            keep(board.model(name), name, out)


if __name__ == "__main__":
    place = Path(sys.argv[1]).resolve()
    for part in ("backbones", "models", "answers"):
        (place / part).mkdir(parents=True, exist_ok=True)
    for model_type, options in BACKBONES.items():
        save_tiny(model_type, place / "backbones" / model_type, **options)
    os.chdir(place / "backbones")  # what a manifest calls "bert" is found from here
    with tempfile.TemporaryDirectory() as cache:
        os.environ["STRATUNE_CACHE"] = cache
        fit_all(place)
        ask_all(place)
        combine_all(place)
