"""Whom a run tells what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Watch:
    """Whom to tell: `stage` when something longer begins (name, rows), `rows` as they pass, `tick` at each
    step, `note` what should be known now.
    """

    stage: Callable[[str, int], None] = lambda name, total: None
    rows: Callable[[int], None] = lambda count: None
    tick: Callable[[Tick], None] = lambda tick: None
    note: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Tick:
    """Told to whoever watches: a step done, or an evaluation (then `value` is set)."""

    step: int
    steps: int
    epoch: float
    rows: int
    value: float | None = None
