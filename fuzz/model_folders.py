"""Model folders damaged: the manifest, tensors and adapters, with digests that fit and without."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

from fuzz.bytes_and_text import damaged_bytes
from fuzz.case import Case
from fuzz.hostile import PICKLE, pickled
from fuzz.trees import as_json, damaged_tree, deep, json_of, some_value

ROWS = ["the cat saw rain near the old house", "we heard the choir", ""]


def model_folders(random: Random, folder: Path, base: Path) -> Case:
    model = folder / "model"
    shutil.copytree(
        base / "models" / random.choice(sorted(path.name for path in (base / "models").iterdir())), model
    )
    lines = [json.dumps({"text": row, "text_pair": row}) for row in ROWS]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    random.choice((_manifest, _manifest, _manifest, _manifest, _part, _tensors, _tensors, _stray, _hostile))(
        model, random
    )
    if random.random() < 0.15:
        return Case(("export", "model", "made"))
    options = ("--text", "text", "--device", "cpu", "--quiet")
    return Case(("predict", "model", "rows.jsonl", "-o", "made.csv", *options))


def _manifest(model: Path, random: Random) -> None:
    path = random.choice(sorted(model.glob("**/stratune.json")))
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree = damaged_tree(tree, random)
    path.write_bytes(as_json(_sealed(tree) if random.random() < 0.8 else tree, random))


def _part(model: Path, random: Random) -> None:
    """adapter_config.json, floor.json, ...: another tree, and its digest in the manifest."""
    parts = sorted(path for path in model.glob("**/*.json") if path.name != "stratune.json")
    if not parts:
        return _manifest(model, random)
    path = random.choice(parts)
    path.write_bytes(as_json(damaged_tree(json.loads(path.read_text(encoding="utf-8")), random), random))
    return _sign(path)


def _tensors(model: Path, random: Random) -> None:
    """Other tensors that are a sound file, or bytes that are none."""
    files = sorted(model.glob("**/*.safetensors"))
    if not files:
        return _manifest(model, random)
    path = random.choice(files)
    if random.random() < 0.4:
        path.write_bytes(damaged_bytes(path.read_bytes(), random))
    else:
        _others(path, random)
    return _sign(path) if random.random() < 0.8 else None


def _others(path: Path, random: Random) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    tensors = load_file(path)
    if not tensors:
        return
    name = random.choice(sorted(tensors))
    change = random.randrange(6)
    if change == 0:
        del tensors[name]
    elif change == 1:
        tensors[f"{name}.more"] = torch.zeros(2)
    elif change == 2:
        tensors[name] = torch.full_like(
            tensors[name], float("nan") if tensors[name].is_floating_point() else 0
        )
    elif change == 3:
        tensors[name] = torch.zeros(*tensors[name].shape, 2)
    elif change == 4:
        tensors[name] = tensors[name].to(torch.int64)
    else:
        tensors[name.upper()] = tensors.pop(name)
    save_file(tensors, path)


def _stray(model: Path, random: Random) -> None:
    """Files that the manifest does not list, or that are gone."""
    path = random.choice(sorted(one for one in model.rglob("*") if one.is_file()))
    change = random.randrange(4)
    if change == 0:
        path.unlink()
    elif change == 1:
        path.unlink()
        path.mkdir()
    elif change == 2:
        path.unlink()
        path.symlink_to(random.choice(("/etc/passwd", "/dev/zero", path.name, "nowhere")))
    else:
        stray = ("head", "changed", "prompt", "adapter_model", "baseline")
        source = random.choice(sorted(model.glob("**/*.safetensors")) or [path])
        (model / f"{random.choice(stray)}.safetensors").write_bytes(source.read_bytes())


def _hostile(model: Path, random: Random) -> None:
    """Files outside the folder, pickles, addresses, other people's backbones."""
    path = model / "stratune.json"
    tree: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    change = random.randrange(5)
    if change == 0:
        tree["files"] = {
            random.choice(("../../../../../etc/passwd", "/etc/passwd", "/dev/zero", "..", ".", "")): "0" * 64
        }
    elif change == 1 and tree["files"]:
        name = next(iter(tree["files"]))
        tree["files"][name.replace(".safetensors", ".bin")] = tree["files"].pop(name)
        (model / name).unlink()
        for pickle in ("adapter_model.bin", "pytorch_model.bin", name.replace(".safetensors", ".bin")):
            (model / pickle).write_bytes(PICKLE)
            tree["files"][pickle] = hashlib.sha256(PICKLE).hexdigest()
    elif change == 2:
        tree["backbone"] = {
            "id": random.choice(
                ("http://203.0.113.7/v1#gpt", "https://key@203.0.113.7/v1", "somebody/model", "../model")
            ),
            "weight_hash": "0" * 64,
        }
    elif change == 3:
        pickled(model / "backbone")
        tree["backbone"] = {"id": str(model / "backbone"), "weight_hash": "0" * 64}
    else:
        tree["files"] = some_value(random)
    path.write_text(json_of(_sealed(tree)), encoding="utf-8")


def _sign(path: Path) -> None:
    """The digest in the manifest beside it becomes that of the damaged file."""
    manifest = path.parent / "stratune.json"
    tree = json.loads(manifest.read_text(encoding="utf-8"))
    tree["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json_of(_sealed(tree)), encoding="utf-8")


def _sealed(tree: Any) -> Any:
    """With the digest of what it says now, as somebody would write it who means harm (format 3)."""
    if not isinstance(tree, dict) or "digest" not in tree:
        return tree
    rest = {key: value for key, value in tree.items() if key != "digest"}
    with deep():
        digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return {**rest, "digest": digest}
