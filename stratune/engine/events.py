"""What a run tells while it works, as plain mappings that pass through a pipe.

{"event": "stage", "name": "frozen activations", "total": 600}      something longer begins
{"event": "rows", "count": 64}                                      rows of the stage that passed
{"event": "step", "step": 12, "steps": 80, "epoch": 0.6}            optimiser steps
{"event": "val", "value": 0.81, "epoch": 1.0, "line": {...}, "of": ""}  an evaluation; its line of the history
{"event": "note", "text": "will ask 400 rows, ..."}                 what the user should know now
{"event": "exit", "code": 0}                                        the process ended (from the zygote)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from stratune.watch import Progress, Step

Event = dict[str, Any]
OnEvent = Callable[[Event], None]
EVERY_SECONDS = 0.1  # a picture needs no more


class Reporting(Progress):
    """Turns what a run tells into events, not more often than a person can see."""

    def __init__(self, on_event: OnEvent) -> None:
        self.on_event = on_event
        self.pending_rows, self.told_at = 0, 0.0

    def stage(self, name: str, total: int) -> None:
        self.pending_rows = 0
        self.on_event({"event": "stage", "name": name, "total": total})

    def rows(self, count: int) -> None:
        self.pending_rows += count
        if self._due():
            self.on_event({"event": "rows", "count": self.pending_rows})
            self.pending_rows, self.told_at = 0, time.monotonic()

    def step(self, step: Step) -> None:
        if step.line is not None:
            told = {"value": step.value, "epoch": step.epoch, "line": dict(step.line), "of": step.of}
            self.on_event({"event": "val", **told})
        elif self._due() or step.step == step.steps:
            at = {"step": step.step, "steps": step.steps, "epoch": step.epoch}
            self.on_event({"event": "step", **at})
            self.told_at = time.monotonic()

    def note(self, text: str) -> None:
        self.on_event({"event": "note", "text": text})

    def _due(self) -> bool:
        return time.monotonic() - self.told_at >= EVERY_SECONDS
