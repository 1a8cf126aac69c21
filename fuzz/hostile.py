"""What strangers put into folders: pickles and modules that would leave a file `ran` behind when they ran."""

from __future__ import annotations

import json
from pathlib import Path

RAN = "ran"
# Unpickled, it calls open("ran", "w").
PICKLE = b"cbuiltins\nopen\n(Vran\nVw\ntR."
CODE = f'open("{RAN}", "w")\n'


def pickled(folder: Path) -> None:
    """A backbone folder whose weights are a pickle."""
    folder.mkdir(exist_ok=True)
    config = {
        "model_type": "bert",
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "vocab_size": 100,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "pytorch_model.bin").write_bytes(PICKLE)


def with_code(folder: Path) -> None:
    """A backbone folder that brings its own model, configuration and tokenizer, as Python files."""
    for name in ("modeling_own", "configuration_own", "tokenization_own"):
        (folder / f"{name}.py").write_text(CODE, encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["auto_map"] = {
        "AutoConfig": "configuration_own.OwnConfig",
        "AutoModel": "modeling_own.OwnModel",
        "AutoModelForCausalLM": "modeling_own.OwnModel",
        "AutoModelForMaskedLM": "modeling_own.OwnModel",
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    path = folder / "tokenizer_config.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    tokenizer["auto_map"] = {
        "AutoTokenizer": ["tokenization_own.OwnTokenizer", "tokenization_own.OwnTokenizer"]
    }
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
