"""Strategies: one technique, one file. Importing this package finds them all."""

from __future__ import annotations

import importlib
import pkgutil

from stratune import plugins
from stratune.strategy.base import TUNES, Baseline, Candidate, Combination, Distillation, Strategy, Tune
from stratune.strategy.parse import parse_strategy
from stratune.strategy.registry import (
    BASELINES,
    COMBINATIONS,
    PRESETS,
    about,
    register,
    register_baseline,
    register_combination,
    strategy_names,
)
from stratune.train.settings import Recipe

__all__ = [
    "BASELINES", "COMBINATIONS", "PRESETS", "TUNES", "Baseline", "Candidate", "Combination", "Distillation",
    "Recipe", "Strategy", "Tune", "about", "parse_strategy", "register", "register_baseline",
    "register_combination", "strategy_names",
]  # fmt: skip

# The order in which `stratune list strategies` shows them.
_ORDER = (
    "baselines tfidf unfreeze features nearest label_names contrastive lora ia3 houlsby prefix soft_prompt "
    "peft_method prompting combine cascade distil"
)
for _name in _ORDER.split():
    importlib.import_module(f"{__name__}.{_name}")
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
# Readouts of users too: a module that has both imports this package, which is complete only now.
plugins.load("readouts")
plugins.load("strategies")
