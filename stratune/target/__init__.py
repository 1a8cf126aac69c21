"""Targets: what each kind of task predicts, one class a kind."""

from __future__ import annotations

from collections.abc import Sequence

from stratune.errors import ConfigError, choices
from stratune.evaluate.kinds import KINDS
from stratune.target.base import Target
from stratune.target.classes import Classes
from stratune.target.label_sets import LabelSets
from stratune.target.levels import Levels
from stratune.target.values import Values

__all__ = ["TARGETS", "Classes", "LabelSets", "Levels", "Target", "Values", "target_of"]

TARGETS: dict[str, type[Target]] = {cls.kind: cls for cls in (Classes, LabelSets, Levels, Values)}


def target_of(kind: str, labels: Sequence[str] = ()) -> Target:
    """The target of a kind of task. ConfigError: there is no such kind, or the labels do not fit it."""
    if kind not in TARGETS:
        raise ConfigError(choices(kind, KINDS), key="task.kind")
    return TARGETS[kind](tuple(labels))
