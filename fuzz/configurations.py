"""config.yaml damaged, and overrides: what a comparison refuses before anything is written."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import yaml

from fuzz.bytes_and_text import WORDS
from fuzz.case import Case
from fuzz.material import ROWS
from fuzz.trees import as_yaml, damaged_tree, json_of, some_value

# YAML that is larger, deeper or more alive than it looks. `ran` is what foreign code would leave behind.
TEXTS = (
    "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "strategies: " + "[" * 3_000,
    "strategies: " + "[" * 300 + "]" * 300,
    "data: {source: rows.jsonl}\nseeds: 1000000000\n",
    "data: {source: rows.jsonl}\nseeds: 1000000000\nstrategies: [majority]\n",
    "data: !!python/object/apply:os.system ['touch ran']\n",
    "data: !!python/name:os.system\n",
    "data: !!timestamp 2026-13-45\n",
    "data: 2026-13-45\n",
    "data: !!int x\n",
    "data: !!binary é\n",
    "data: &loop {source: *loop}\n",
    "&loop\ndata: {source: rows.jsonl}\ntask: *loop\n",
    "data: {source: rows.jsonl}\ntask: {labels: [yes, no]}\n",
    "data: {source: rows.jsonl}\ntask: {labels: [1, 1.0, 0x1, 1_0]}\n",
    "data: {source: rows.jsonl}\nstrategy: [majority]\n",
    "? [a, b]\n: c\n",
    "<<: 1\n",
    "- a\n- b\n",
    "just text\n",
    "%YAML 9.9\n---\ndata: x\n",
    "\tdata: x\n",
    "---\ndata: x\n---\ndata: y\n",
    "",
    "\x00",
    "\ufeffdata: {source: rows.jsonl}\n",
)


SOUND = """
data:
  source: rows.jsonl
  split_column: part
  fractions: [0.7, 0.15, 0.15]
  train_rows: 40
  encoding: null
  val: null
  seed: 0
task:
  kind: classification
  text: review
  label: mood
  labels: [animal, weather]
  metric: f1_macro
  group: null
  annotations: null
strategies:
- majority
- tfidf
- {preset: lora, rank: 4, name: small, epochs: 2, learning_rate: 0.001}
- preset: zero_shot
  readout:
    template: {name: own, row: "{text}", answer: "= {label}", words: {animal: [cat]}, chat: false}
backbones: ["{base}/backbones/bert"]
llms: ["{base}/backbones/llama"]
seeds: 2
budget: {epochs: 1.0}
train:
  precision: float32
  class_weights: {animal: 2.0}
  patience: 3
  max_length: 64
  max_words: 40
  checkpoint_seconds: 5.0
  cache: true
remote: {workers: 2, timeout: 10.0, price: [1.0, 2.0]}
"""


def sound(base: Path) -> dict[str, Any]:
    """Every section with some keys."""
    found: dict[str, Any] = yaml.safe_load(SOUND.replace("{base}", str(base)))
    return found


def configurations(random: Random, folder: Path, base: Path) -> Case:
    (folder / "rows.jsonl").write_bytes((base / ROWS).read_bytes())
    tree = sound(base)
    if random.random() < 0.12:
        data = random.choice(TEXTS).encode()
    else:
        data = as_yaml(damaged_tree(tree, random) if random.random() < 0.8 else tree, random)
    (folder / "config.yaml").write_bytes(data)
    overrides = [_override(tree, random) for _ in range(random.choice((0, 0, 1, 2)))]
    return Case(("compare", "config.yaml", *overrides, "--out", "made", "--quiet"), (0, 1, 2))


def _override(tree: dict[str, Any], random: Random) -> str:
    section = random.choice(list(tree))
    inner = tree[section]
    key = f"{section}.{random.choice(list(inner))}" if isinstance(inner, dict) else section
    key = random.choice(
        (key, key, key, key.upper(), f"{key}.more", f".{key}", f"{key}..x", random.choice(WORDS))
    )
    value: Any = some_value(random)
    try:
        text = value if isinstance(value, str) else json_of(value)
    except ValueError:
        text = "9" * 5_000
    return f"{key}={text}".replace("\x00", "")[:50_000]  # no argument holds a null byte, or is longer
