"""Sound material that cases damage: rows, tiny backbones, model folders, one finished comparison.

BASE/rows.csv, rows.jsonl, ...   the toy task with every kind of column
BASE/backbones/bert, gpt2, llama, tiny.gguf
BASE/models/<kind>               of 0.6.0 (tests/folders), and `new-...` saved by this version
BASE/out                         a comparison of baselines
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

OLD = Path(__file__).parents[1] / "tests" / "folders" / "0.6.0"
ROWS = "rows.jsonl"
SHORT = {"name": "short", "row": "{text}", "answer": "= {label}", "chat": False}
ROOM = 2048  # tokens: tiny tokenizers need many for a prompt
NEW_MODELS: dict[str, Any] = {
    "tfidf": "tfidf",
    "probe": "probe",
    "lora": {"preset": "lora", "rank": 2},
    "prefix": "prefix",
    "zero_shot": {"preset": "zero_shot", "readout": {"template": SHORT}},
}


def make_material(base: Path) -> None:
    """Some seconds; nothing is made twice."""
    if (base / "ready").exists():
        return
    shutil.rmtree(base, ignore_errors=True)  # what was begun
    base.mkdir(parents=True)
    _rows(base)
    _backbones(base / "backbones")
    _models(base)
    _comparison(base)
    (base / "ready").touch()


def rows_of(base: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (base / ROWS).read_text(encoding="utf-8").splitlines()]


def _rows(base: Path) -> None:
    from stratune.testing import toy_split

    rows = []
    for part, table in toy_split(rows=36).parts.items():
        for row in table:
            i = len(rows)
            rows.append(
                {
                    "review": f"{row['text']} {i}",
                    "mood": row["label"],
                    "score": round(1 + (i * 7 % 9) / 2, 1),
                    "level": i % 3,
                    "tags": "animal" if i % 2 else "animal,weather",
                    "author": f"author {i % 12}",
                    "part": part,
                    "rater": [i % 3, (i + 1) % 3, 1],
                }
            )
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (base / ROWS).write_text(text, encoding="utf-8")


def _backbones(folder: Path) -> None:
    from stratune.testing import save_tiny

    save_tiny("bert", folder / "bert", masked=True, num_hidden_layers=1)
    save_tiny("gpt2", folder / "gpt2", n_layer=1)
    save_tiny("llama", folder / "llama", num_hidden_layers=1, max_position_embeddings=ROOM)
    path = folder / "llama" / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**settings, "model_max_length": ROOM}), encoding="utf-8")
    _gguf(folder / "tiny.gguf")


def _gguf(path: Path) -> None:
    """A llama of one block, as llama.cpp writes it."""
    import gguf
    import numpy as np

    writer, width = gguf.GGUFWriter(path, "llama"), 32
    words = ["<s>", "</s>", *"abcdefghijklmnopqrstuvwxyz,.", "ab", "cd"]
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([1] * len(words))
    writer.add_token_merges(["a b", "c d"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    shapes = {
        "token_embd.weight": (len(words), width),
        "output_norm.weight": (width,),
        "output.weight": (len(words), width),
    }
    shapes |= {f"blk.0.attn_{one}.weight": (width, width) for one in ("q", "k", "v", "output")}
    shapes |= {f"blk.0.{one}_norm.weight": (width,) for one in ("attn", "ffn")}
    shapes |= {
        "blk.0.ffn_gate.weight": (64, width),
        "blk.0.ffn_up.weight": (64, width),
        "blk.0.ffn_down.weight": (width, 64),
    }
    for name, shape in shapes.items():
        writer.add_tensor(name, np.full(shape, 0.01, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _models(base: Path) -> None:
    from stratune.testing.toy import toy_split
    from stratune.testing.trained import fitted

    for folder in sorted((OLD / "models").iterdir()):
        shutil.copytree(folder, base / "models" / folder.name)
    for name, spec in NEW_MODELS.items():
        backbone = (
            None if name == "tfidf" else base / "backbones" / ("llama" if name == "zero_shot" else "bert")
        )
        fitted(spec, backbone, toy_split(rows=8)).predictor.save(base / "models" / f"new-{name}")
    for manifest in (base / "models").glob("**/stratune.json"):
        found = json.loads(manifest.read_text(encoding="utf-8"))
        if isinstance(found["backbone"], dict) and found["backbone"]["id"] in ("bert", "gpt2", "llama"):
            found["backbone"]["id"] = str(OLD / "backbones" / found["backbone"]["id"])
            manifest.write_text(json.dumps(found), encoding="utf-8")


def _comparison(base: Path) -> None:
    from stratune.comparison.comparison import run_comparison
    from stratune.config import parse_config
    from stratune.engine.inline import InlineEngine

    fields = {
        "data": {"source": str(base / ROWS)},
        "task": {"text": "review", "label": "mood"},
        "strategies": ["majority", "tfidf"],
        "backbones": [str(base / "backbones" / "bert")],
    }
    results = list(run_comparison(parse_config(fields), base / "out", engine=InlineEngine()))
    assert [result.status for result in results] == ["ok", "ok"], results
