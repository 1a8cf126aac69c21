"""Progress: what a run does, told to whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Step:
    """An optimiser step done, or an evaluation: then `line` is what history.jsonl says of it, and `value` the
    metric on validation, where it was computed.
    """

    step: int
    steps: int
    epoch: float
    rows: int
    value: float | None = None
    line: Mapping[str, float | None] | None = None
    of: str = ""  # the trial or fold that it belongs to, "trial 3"; nothing: the run itself


class Progress:
    """Base class: it shows nothing. Override what you want to see."""

    def stage(self, name: str, total: int) -> None:
        """Something longer begins, over `total` rows (or models)."""

    def rows(self, count: int) -> None:
        """So many more rows of the stage are done."""

    def step(self, step: Step) -> None:
        """An optimiser step or an evaluation is done."""

    def note(self, text: str) -> None:
        """What the user should know now, before the run ends."""


SILENT = Progress()


class Prefixed(Progress):
    """Stages say what they are part of, and steps what they are `of`."""

    def __init__(self, whole: Progress, prefix: str, of: str = "") -> None:
        self.whole, self.prefix, self.of = whole, prefix, of

    def stage(self, name: str, total: int) -> None:
        self.whole.stage(f"{self.prefix}{name}", total)

    def rows(self, count: int) -> None:
        self.whole.rows(count)

    def step(self, step: Step) -> None:
        self.whole.step(replace(step, of=", ".join(filter(None, (self.of, step.of)))))

    def note(self, text: str) -> None:
        self.whole.note(text)


class Scaled(Progress):
    """Work in other units than rows: of `units` that are done, `rows` rows of `whole` are."""

    def __init__(self, whole: Progress, rows: int, units: int) -> None:
        self.whole, self.share, self.done = whole, (rows, units), 0

    def rows(self, count: int) -> None:
        (rows, units), before = self.share, self.done
        self.done += count
        self.whole.rows(self.done * rows // units - before * rows // units)
