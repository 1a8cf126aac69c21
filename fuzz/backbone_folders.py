"""Backbone folders and GGUF files damaged: configuration, tokenizer, tensors, code and pickles in them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

from fuzz.bytes_and_text import damaged_bytes
from fuzz.case import Case
from fuzz.hostile import PICKLE, with_code
from fuzz.material import ROWS
from fuzz.trees import as_json, damaged_tree


def backbone_folders(random: Random, folder: Path, base: Path) -> Case:
    """Loaded as a run does; or only its tokenizer, as `data check` does."""
    if random.random() < 0.2:
        place = "model.gguf"
        data = (base / "backbones" / "tiny.gguf").read_bytes()
        cut = random.choice((2_000, len(data)))  # mostly the header, where what is read stands
        (folder / place).write_bytes(damaged_bytes(data[:cut], random) + data[cut:])
    else:
        place = "model"
        shutil.copytree(base / "backbones" / random.choice(("bert", "gpt2", "llama")), folder / place)
        random.choice((_json, _json, _json, _json, _weights, _weights, _code, _pickle, _gone))(
            folder / place, random
        )
    if random.random() < 0.3:
        (folder / "rows.jsonl").write_bytes((base / ROWS).read_bytes())
        options = ("--text", "review", "--label", "mood", "--backbone", place)
        return Case(("data", "check", "rows.jsonl", *options), (0, 1, 2))
    language_model = random.random() < 0.4

    def load() -> None:
        from stratune.backbone.load import load_backbone

        load_backbone(f"./{place}", language_model=language_model)

    return Case(("load_backbone", f"./{place}", f"language_model={language_model}"), call=load)


def _json(folder: Path, random: Random) -> None:
    path = random.choice([*sorted(folder.glob("*.json")), folder / "config.json"])
    tree = json.loads(path.read_text(encoding="utf-8"))
    path.write_bytes(as_json(damaged_tree(tree, random), random))


def _weights(folder: Path, random: Random) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    if random.random() < 0.5:
        header = int.from_bytes(data[:8], "little")
        changed = as_json(damaged_tree(json.loads(data[8 : 8 + header]), random), random)
        path.write_bytes(len(changed).to_bytes(8, "little") + changed + data[8 + header :])
    else:
        path.write_bytes(damaged_bytes(data[:4_000], random) + data[4_000:])


def _code(folder: Path, random: Random) -> None:
    with_code(folder)
    if random.random() < 0.5:  # a type that only the folder's own code knows
        path = folder / "config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**config, "model_type": "own"}), encoding="utf-8")


def _pickle(folder: Path, random: Random) -> None:
    """Weights as a pickle, alone or as shards that an index lists."""
    (folder / "model.safetensors").unlink()
    name = random.choice(("pytorch_model.bin", "pytorch_model-00001-of-00001.bin", "model.bin", "model.pt"))
    (folder / name).write_bytes(PICKLE)
    index = {"metadata": {}, "weight_map": {"embeddings.word_embeddings.weight": name}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    if random.random() < 0.5:
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def _gone(folder: Path, random: Random) -> None:
    path = random.choice(sorted(folder.iterdir()))
    path.unlink()
    if random.random() < 0.5:
        path.mkdir()
