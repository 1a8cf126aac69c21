"""stratune: every way to turn a pretrained language model into a classifier for your text, compared fairly
on one split.

    import stratune as st

    board = st.compare("reviews.csv", text="review", label="sentiment", strategies=["tfidf", "probe", "lora"])
    board.best.predict(["What a film!"])

Names are loaded when first used: importing stratune imports no torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from stratune.cores import limit_threads
from stratune.errors import StratuneError
from stratune.version import __version__

if TYPE_CHECKING:
    from stratune.api import adapt, compare, drift, split
    from stratune.backbone.load import load_backbone
    from stratune.comparison.board import Board
    from stratune.fitting.fit import fit
    from stratune.predictor.predictor import Prediction, Predictor
    from stratune.strategy import Recipe, Strategy
    from stratune.task import Task
    from stratune.train.settings import Budget, TrainSettings

# A thread of torch that waits for another one spins, and beside other programs burns what these need. libgomp
# reads this when torch is loaded; measured in docs/log.md, 0.19.0.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# torch starts a thread for each core that it sees, which in a container are those of the whole machine.
limit_threads()

_HOMES = {
    "Board": "stratune.comparison.board",
    "Budget": "stratune.train.settings",
    "Prediction": "stratune.predictor.predictor",
    "Predictor": "stratune.predictor.predictor",
    "Recipe": "stratune.strategy",
    "Strategy": "stratune.strategy",
    "Task": "stratune.task",
    "TrainSettings": "stratune.train.settings",
    "adapt": "stratune.api",
    "compare": "stratune.api",
    "drift": "stratune.api",
    "fit": "stratune.fitting.fit",
    "load_backbone": "stratune.backbone.load",
    "split": "stratune.api",
}

__all__ = [
    "Board", "Budget", "Prediction", "Predictor", "Recipe", "Strategy", "StratuneError", "Task",
    "TrainSettings", "__version__", "adapt", "compare", "drift", "fit", "load_backbone", "split",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'stratune' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
