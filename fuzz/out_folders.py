"""The folder of a comparison damaged: cut, emptied, with other values. It heals, or a line says why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

from fuzz.bytes_and_text import damaged_bytes
from fuzz.case import Case
from fuzz.material import ROWS
from fuzz.trees import as_json, damaged_tree, some_value


def out_folders(random: Random, folder: Path, base: Path) -> Case:
    out = folder / "out"
    shutil.copytree(base / "out", out)
    path = random.choice(sorted(one for one in out.rglob("*") if one.is_file() and "plots" not in one.parts))
    if random.random() < 0.6:
        path = random.choice([*sorted(out.rglob("result.json")), *sorted(out.glob("*.json"))])
    _damage(path, random)
    chance = random.random()
    if chance < 0.5:
        options = ("--text", "review", "--label", "mood", "--strategies", "majority,tfidf", "--quiet")
        bert = str(base / "backbones" / "bert")
        return Case(
            ("compare", "--data", str(base / ROWS), "--backbone", bert, *options, "--out", "out"),
            engine="inline",
        )
    return Case(
        random.choice(
            (
                ("show", "out"),
                ("show", "out", "--json"),
                ("report", "out"),
                ("report", "out"),
                ("ablate", "out"),
            )
        )
    )


def _damage(path: Path, random: Random) -> None:
    chance = random.random()
    if chance < 0.1:
        path.unlink()
    elif chance < 0.15:
        path.unlink()
        path.mkdir()
    elif chance < 0.3:
        path.write_bytes(random.choice((b"", b"{", b"[]", b"null", b"{}\n")))
    elif path.suffix == ".json" and chance < 0.85:
        tree = json.loads(path.read_text(encoding="utf-8"))
        if random.random() < 0.15 and isinstance(tree, dict):
            tree["unknown"] = some_value(random)
        path.write_bytes(as_json(damaged_tree(tree, random), random))
    else:
        path.write_bytes(damaged_bytes(path.read_bytes(), random))
