"""A bar on a terminal, once something takes longer than two seconds."""

from __future__ import annotations

import time

from stratune.watch import Progress, Step

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


class StepBar(Bar):
    """A training: its steps are what is counted. `measure`: what it is judged by."""

    def __init__(self, name: str, *, shown: bool = True, measure: str = "perplexity") -> None:
        super().__init__(name, shown=shown)
        self.measure = measure

    def step(self, step: Step) -> None:
        from stratune.report import human

        self._show()
        told = None if step.value is None else f"training, {self.measure} {human.score(step.value)}"
        self.bars.update(self.task, completed=step.step, total=step.steps, description=told)
