"""The preset `features`: `probe` with TF-IDF features beside the vectors of the frozen backbone."""

from __future__ import annotations

from stratune.readout.features import Features
from stratune.strategy.registry import register
from stratune.strategy.unfreeze import Probe
from stratune.train.settings import Recipe

register(
    "head",
    preset="features",
    recipe=Recipe(learning_rate=3e-3),
    readout=Features(),
    about="The head alone, on vectors of the frozen backbone and TF-IDF features side by side.",
)(Probe)
