"""Progress on a terminal: a bar, and for a comparison the whole with the time left and the runs at work."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from stratune.watch import Progress

if TYPE_CHECKING:  # rich is loaded when something is shown
    from stratune.comparison.schedule import RunEvent
    from stratune.engine.events import Event
    from stratune.report.screen import TaskID


PATIENCE = 2.0  # seconds before a bar is shown


class Bar(Progress):
    """Things done, on a terminal, once it takes longer than `patience` seconds; `total` None: nobody knows of
    how many.
    """

    def __init__(
        self, name: str, total: int | None = None, *, shown: bool = True, patience: float = PATIENCE
    ) -> None:
        from stratune.report.screen import counting_bar, screen

        console = screen(stderr=True)
        self.bars = counting_bar(console, shown=shown and console.is_terminal)
        self.task = self.bars.add_task(name, total=total)
        self.due, self.started = time.monotonic() + patience, False

    def __enter__(self) -> Bar:
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        if self.started:
            self.bars.stop()

    def stage(self, name: str, total: int) -> None:
        self._show()
        self.bars.update(self.task, description=name, completed=0, total=total)

    def rows(self, count: int) -> None:
        self._show()
        self.bars.advance(self.task, count)

    def _show(self) -> None:
        if not self.started and time.monotonic() >= self.due:
            self.started = True
            self.bars.start()


class Display:
    """`with Display(shown=True) as display: run_comparison(..., watch=display.on)`. One bar for all runs, and
    one for each that is under way. Silent when not on a terminal, but for what failed and notes.
    """

    def __init__(self, shown: bool) -> None:
        from stratune.report.screen import bars, screen

        self.screen = screen(stderr=True)
        self.bars = bars(self.screen, shown=shown and self.screen.is_terminal)
        self.runs = self.bars.add_task("reading", total=None, note="")
        self.under_way: dict[str, TaskID] = {}
        self.told: set[tuple[str, str]] = set()

    def __enter__(self) -> Display:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def on(self, told: RunEvent) -> None:
        name, event = told.planned.run_id, told.event
        if event["event"] in ("started", "done"):
            self.bars.update(self.runs, description="runs", total=told.total, completed=told.ended)
        if event["event"] == "started":
            self.under_way[name] = self.bars.add_task(name, total=None, note="loading")
        elif event["event"] == "done":
            if name in self.under_way:
                self.bars.remove_task(self.under_way.pop(name))
            self._say(told)
        elif event["event"] == "note":
            self._note(name, event["text"])
        else:
            self._advance(self.under_way[name], event)

    def _advance(self, run: TaskID, event: Event) -> None:
        if event["event"] == "stage":
            self.bars.update(run, total=event["total"], completed=0, note=event["name"])
        elif event["event"] == "rows":
            self.bars.update(run, advance=event["count"])
        elif event["event"] == "step":
            self.bars.update(run, total=event["steps"], completed=event["step"], note="training")
        elif event["event"] == "val":
            self.bars.update(run, note=f"training, val {event['value']:.4f}")

    def _note(self, run: str, text: str) -> None:
        """Each once: what a run tells at its start, its result tells again."""
        if (run, text) not in self.told:
            self.told.add((run, text))
            self._print(("note", "yellow"), f" {run}: {text}")

    def _say(self, told: RunEvent) -> None:
        name, result = told.planned.run_id, told.result
        for note in result.notes if result is not None else ():
            self._note(name, note)
        if result is not None and result.status == "failed":
            self._print(("failed", "red"), f" {name}: {result.error}")

    def _print(self, *parts: str | tuple[str, str]) -> None:
        from stratune.report.screen import text

        self.screen.print(text(*parts))
