"""Progress of a comparison: on a terminal the leaderboard so far and a bar for each run, elsewhere lines."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from stratune.comparison.so_far import SoFar, Standing, cells
from stratune.report import human

if TYPE_CHECKING:  # rich is loaded when something is shown
    from stratune.comparison.schedule import RunEvent
    from stratune.report.screen import Group, Table, TaskID


EVERY = 50.0  # seconds without a line before one is written: at least one a minute


class Display:
    """`with Display(shown=True) as display: run_comparison(..., watch=display.on)`.

    On a terminal: the leaderboard so far, and a bar for each run that is under way, until all have ended.
    Elsewhere: a line for each run that starts or ends, and one a minute. Not `shown`: failures and notes.
    """

    def __init__(self, shown: bool, every: float = EVERY) -> None:
        from stratune.report.screen import bars, screen, view

        self.screen = screen(stderr=True)
        on_terminal = shown and self.screen.is_terminal
        self.logs, self.every = shown and not on_terminal, every
        self.so_far = SoFar()
        self.bars = bars(self.screen, shown=on_terminal)
        self.runs = self.bars.add_task("reading", total=None, note="")
        self.view = view(self.screen, self._picture) if on_terminal else None
        self.tasks: dict[str, TaskID] = {}
        self.told: set[tuple[str, str]] = set()
        self.said_at, self.over = time.monotonic(), threading.Event()

    def __enter__(self) -> Display:
        if self.view is not None:
            self.view.start()
        if self.logs:
            threading.Thread(target=self._tick, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        if self.view is not None:
            self.view.stop()

    def on(self, told: RunEvent) -> None:
        name, event = told.planned.run_id, told.event
        self.so_far.on(told)
        if event["event"] in ("started", "done"):
            self.bars.update(self.runs, description="runs", total=told.total, completed=told.ended)
        if event["event"] == "started":
            self.tasks[name] = self.bars.add_task(name, total=None, note="loading")
            self._log(f"{name}: started, {told.ended} of {told.total} runs done")
        elif event["event"] == "done":
            if name in self.tasks:
                self.bars.remove_task(self.tasks.pop(name))
            self._say(told)
        elif event["event"] == "note":
            self._note(name, event["text"])
        elif name in self.so_far.under_way:
            run = self.so_far.under_way[name]
            val = f", val {run.value:.4f}" if run.value is not None else ""
            self.bars.update(self.tasks[name], total=run.total, completed=run.done, note=f"{run.doing}{val}")

    def _picture(self) -> Group:
        """The leaderboard so far, as many of its rows as fit, above the bars."""
        from stratune.report.screen import Group, stacked, text

        room = max(self.screen.height - len(self.bars.tasks) - 6, 1)
        standings = self.so_far.standings()
        metric = self.so_far.selection.metric if self.so_far.selection else ""
        table = standings_table(standings[:room], metric)
        hidden = len(standings) - room
        below = [f"and {hidden} more"] if hidden > 0 else []
        below += ["", self.so_far.summary()] if self.so_far.total else []
        return Group(*[table][: len(standings)], stacked(map(text, below)), self.bars)

    def _tick(self) -> None:
        """A line where nothing was said for a while; ends with the comparison."""
        while not self.over.wait(min(self.every / 4, 5.0)):
            if time.monotonic() - self.said_at >= self.every:
                at_work = [f"{name}: {run}" for name, run in list(self.so_far.under_way.items())]
                self._log("; ".join([*at_work, self.so_far.summary() if self.so_far.total else "reading"]))

    def _log(self, line: str) -> None:
        if self.logs:
            self.said_at = time.monotonic()
            self.screen.say(line)

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
        elif result is not None:
            value = told.selection.value(result.val) if told.selection is not None else None
            val = f" val {told.selection.metric} {human.score(value)}" if told.selection is not None else ""
            self._log(f"{name}: done,{val} in {human.seconds(result.train_seconds)}; {self.so_far.summary()}")

    def _print(self, *parts: str | tuple[str, str]) -> None:
        from stratune.report.screen import text

        self.said_at = time.monotonic()
        self.screen.print(text(*parts))


def standings_table(standings: Sequence[Standing], metric: str) -> Table:
    """The leaderboard so far: validation alone, the first row in green."""
    from stratune.report.screen import Table

    table = Table("#", "strategy", f"val {metric}", "seeds", "train time", box=None, pad_edge=False)
    for column in (table.columns[0], *table.columns[2:]):
        column.justify = "right"
    for place, row in enumerate(cells(standings)):
        table.add_row(*row, style="bold green" if place == 0 else "")
    return table
