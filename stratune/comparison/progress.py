"""Progress on a terminal: a bar, and for a comparison the whole with the time left and the run at work."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stratune.comparison.comparison import Progress as Moment


PATIENCE = 2.0  # seconds before a bar is shown


class Bar:
    """Things done, on a terminal, once it takes longer than `patience` seconds; `total` None: nobody knows of
    how many.
    """

    def __init__(
        self, name: str, total: int | None = None, *, shown: bool = True, patience: float = PATIENCE
    ) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        count = TextColumn("{task.completed:,.0f}")
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), count, TimeElapsedColumn())
        disabled = not (shown and console.is_terminal)
        self.progress = Progress(*columns, console=console, transient=True, disable=disabled)
        self.task = self.progress.add_task(name, total=total)
        self.due, self.started = time.monotonic() + patience, False

    def __enter__(self) -> Bar:
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        if self.started:
            self.progress.stop()

    def advance(self, count: int) -> None:
        self._show()
        self.progress.advance(self.task, count)

    def at(self, name: str, done: int, total: int) -> None:
        """Where it is now, in a part called `name`."""
        self._show()
        self.progress.update(self.task, description=name, completed=done, total=total)

    def _show(self) -> None:
        if not self.started and time.monotonic() >= self.due:
            self.started = True
            self.progress.start()


class Display:
    """`with Display(shown=True) as display: run_comparison(..., watch=display.on)`. Silent when not on a
    terminal.
    """

    def __init__(self, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self.bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=not (shown and console.is_terminal),
            speed_estimate_period=3600,  # runs differ: the mean over all of them says most about what is left
        )
        self.runs = self.bars.add_task("reading", total=None, note="")
        self.run = self.bars.add_task("", total=None, note="", visible=False)
        self.told: set[tuple[str, str]] = set()

    def __enter__(self) -> Display:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def on(self, moment: Moment) -> None:
        kind = moment.event["event"]
        if kind == "started":
            self.bars.update(self.runs, description="runs", total=moment.total, completed=moment.index)
            self.bars.reset(
                self.run, description=moment.planned.run_id, total=None, visible=True, note="loading"
            )
        elif kind == "done":
            self.bars.update(self.runs, description="runs", total=moment.total, completed=moment.index + 1)
            self._say(moment)
        elif kind == "stage":
            self.bars.update(self.run, total=moment.event["total"], completed=0, note=moment.event["name"])
        elif kind == "rows":
            self.bars.update(self.run, advance=moment.event["count"])
        elif kind == "step":
            self.bars.update(
                self.run, total=moment.event["steps"], completed=moment.event["step"], note="training"
            )
        elif kind == "note":
            self._note(moment, moment.event["text"])
        elif kind == "val":
            self.bars.update(self.run, note=f"training, val {moment.event['value']:.4f}")

    def _note(self, moment: Moment, text: str) -> None:
        """Each once: what a run tells at its start, its result tells again."""
        told = (moment.planned.run_id, text)
        if told not in self.told:
            self.told.add(told)
            self.bars.console.print(f"[yellow]note[/yellow] {told[0]}: {text}", highlight=False)

    def _say(self, moment: Moment) -> None:
        result = moment.result
        for note in result.notes if result is not None else ():
            self._note(moment, note)
        if result is not None and result.status == "failed":
            self.bars.console.print(
                f"[red]failed[/red] {moment.planned.run_id}: {result.error}", highlight=False
            )
