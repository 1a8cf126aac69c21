"""Every strategy in every format of export, on a tiny model: docs/exports_table.py and the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stratune.errors import UnsupportedError
from stratune.export import export_hf
from stratune.export.mlflow_model import export_mlflow
from stratune.export.onnx import export_onnx
from stratune.export.sklearn import export_sklearn
from stratune.model.base import INSTEAD
from stratune.strategy import BASELINES, COMBINATIONS, PRESETS, Strategy, parse_strategy
from stratune.testing.check import Spec, needs_pairs
from stratune.testing.models import save_tiny
from stratune.testing.trained import fitted, split_of

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor

YES = "yes"  # reloaded by the other library, same answers
FORMATS: Mapping[str, Callable[[Predictor, Path], Path]] = {
    "hf": export_hf,
    "onnx": export_onnx,
    "sklearn": export_sklearn,
    "mlflow": export_mlflow,
}


@dataclass(frozen=True)
class Case:
    """A row of the table: what is trained, of which kind of task."""

    spec: Spec
    pairs: bool = False
    regression: bool = False


_SHORT = {"row": "{text}", "answer": ": {label}", "chat": False}
# Presets whose defaults do not fit a model of one block, or that need something beside.
_SPECS: Mapping[str, Spec] = {
    "partial": {"preset": "partial", "k": 1},
    "prefix": {"preset": "prefix", "length": 4},
    "soft_prompt": {"preset": "soft_prompt", "length": 4},
    "p_tuning": {"preset": "p_tuning", "length": 4},
    "zero_shot": {"preset": "zero_shot", "readout": {"template": _SHORT}},
    "few_shot": {"preset": "few_shot", "readout": {"template": _SHORT, "shots": 1}},
    "completion": {"preset": "completion", "readout": {"template": _SHORT}},
}
_MORE: Mapping[str, Case] = {
    "tfidf, pairs": Case("tfidf", pairs=True),
    "full, pairs": Case("full", pairs=True),
    "full+two_tower": Case("full+two_tower", pairs=True),
    "lora+words": Case({"preset": "lora+words", "readout": {"template": _SHORT}}),
    "peft:vera": Case({"preset": "peft:vera", "r": 4}),
}


def cases() -> dict[str, Case]:
    """By the name in the table: all baselines, presets and combinations, and what else there is to choose."""
    names = [name for name in (*BASELINES, *PRESETS, *COMBINATIONS) if "<" not in name]  # peft:<method>
    own = {name: Case(_SPECS.get(name, name), needs_pairs(name), name == "mean") for name in names}
    return {**own, **_MORE}


def backbone_of(spec: Spec, folder: Path) -> Path | None:
    """A tiny BERT of one block, of what answers in words a LLaMA; made in `folder` once."""
    strategy = parse_strategy(spec)
    words = isinstance(strategy, Strategy) and strategy.readout.language_model
    place = folder / ("llama" if words else "bert")
    if not place.exists():
        save_tiny(place.name, place, num_hidden_layers=1)
    return place


def trained(case: Case, folder: Path) -> Predictor:
    split = split_of("regression" if case.regression else None, pairs=case.pairs)
    return fitted(case.spec, backbone_of(case.spec, folder), split).predictor


def exported(predictor: Predictor, to: str, folder: Path) -> str:
    """YES, or why it is refused."""
    try:
        FORMATS[to](predictor, folder)
    except UnsupportedError as error:
        return shortened(error.why)
    return YES


def shortened(why: str) -> str:
    """A reason without the advice that all of them end with, and as a cell of a table."""
    for advice in (f"; {INSTEAD}", f", or {INSTEAD}"):
        why = why.replace(advice, "")
    return why.replace("|", "/")
