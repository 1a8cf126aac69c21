"""What a run tells while it works, as plain mappings that pass through a pipe.

{"event": "stage", "name": "frozen activations", "total": 600}      something longer begins
{"event": "rows", "count": 64}                                      rows of the stage that passed
{"event": "step", "step": 12, "steps": 80, "epoch": 0.6}            optimiser steps
{"event": "val", "value": 0.81, "epoch": 1.0}                       an evaluation
{"event": "note", "text": "will ask 400 rows, ..."}                 what the user should know now
{"event": "exit", "code": 0}                                        the process ended (from the zygote)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stratune.watch import Watch

Event = dict[str, Any]
OnEvent = Callable[[Event], None]
EVERY_SECONDS = 0.1  # a picture needs no more


def reporting(on_event: OnEvent) -> Watch:
    """A Watch that turns what it is told into events, not more often than a person can see."""
    from stratune.watch import Watch

    pending = {"rows": 0, "at": 0.0, "stage": 0.0}

    def due() -> bool:
        return time.monotonic() - pending["at"] >= EVERY_SECONDS

    def stage(name: str, total: int) -> None:
        pending["rows"] = 0
        on_event({"event": "stage", "name": name, "total": total})

    def rows(count: int) -> None:
        pending["rows"] += count
        if due():
            on_event({"event": "rows", "count": pending["rows"]})
            pending["rows"], pending["at"] = 0, time.monotonic()

    def tick(moment: Any) -> None:
        if moment.value is not None:
            on_event({"event": "val", "value": moment.value, "epoch": moment.epoch})
        elif due() or moment.step == moment.steps:
            on_event({"event": "step", "step": moment.step, "steps": moment.steps, "epoch": moment.epoch})
            pending["at"] = time.monotonic()

    return Watch(stage, rows, tick, note=lambda text: on_event({"event": "note", "text": text}))
