"""OtherTest: which rows take the place of the test part once all else is split (unseen.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from stratune.errors import ConfigError, choices
from stratune.task import Task


@dataclass(frozen=True)
class OtherTest:
    """Where the rows are, and what their columns are called where that is not as the task has it."""

    source: str
    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    group: str | None = None
    id: str | None = None
    annotations: str | None = None  # single ratings, which the other parts need not have
    encoding: str | None = None
    delimiter: str | None = None
    unknown: Literal["refuse", "drop"] = "refuse"  # of labels that the task does not have
    no_gold: tuple[str, ...] = ()
    agreement: float | None = None

    def __post_init__(self) -> None:
        if self.unknown not in ("refuse", "drop"):
            raise ConfigError(choices(self.unknown, ("refuse", "drop")), key="data.other_test.unknown")
        object.__setattr__(self, "no_gold", tuple(self.no_gold))

    def task(self, task: Task) -> Task:
        """The task as it is of these rows. Their ratings are those of the task where nobody names others."""
        return replace(task, annotations=self.annotations or task.annotations)
